using System.Diagnostics;
using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>
/// What a goodbye costs, compared with a tunnel that its client closes at the same rate; and how evenly they come. Only StickyWs says any.
/// </summary>
/// <param name="key">The name on the command line.</param>
/// <param name="wiring">Where there is TLS.</param>
/// <param name="target">What the load opens its tunnels to.</param>
internal sealed class GoodbyeMeasurement(string key, Wiring wiring, string target) : Measurement(key, wiring)
{
    public const int Seconds = 10;

    // Of chi-square with nine degrees of freedom: what chance exceeds once in a hundred times.
    private const double Uneven = 21.67;
    private const int Few = 1000;

    // StickyWs keeps a twentieth of its descriptors free.
    private static readonly int Reserve = 600 + (OpenFiles.Limit / 20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    private readonly Figure _goodbye = new($"{key}: CPU of the balancer, µs per tunnel that is told to go", "F2");
    private readonly Figure _close = new($"{key}: CPU of the balancer, µs per tunnel that its client closes", "F2");
    private readonly Figure _growth = new($"{key}: the one over the other", "F2", new Target(2)) { HasRatio = false };
    private readonly Figure _unevenness = new($"{key}: chi-square of goodbyes by tenths of the time", "F1", new Target(Uneven)) { HasRatio = false };
    private readonly Figure _cut = new($"{key}: tunnels that were cut", "F0", new Target(0)) { HasRatio = false };

    public static GoodbyeMeasurement Plain { get; } = new("goodbye", Wiring.Plain, "{port}");

    public static GoodbyeMeasurement Tls { get; } = new("tls-goodbye", Wiring.TlsToClients, "tls:{port}");

    /// <summary>How many; fewer if a process may not open so many files.</summary>
    public static int Tunnels { get; } = Math.Min(10_000, (OpenFiles.Limit - Reserve) / 2);

    public override IReadOnlyList<Figure> Figures => [_goodbye, _close, _growth, _unevenness, _cut];

    public override Task RunAsync(Comparison comparison) => comparison.TogetherAsync(
        [.. comparison.Contestants.Where(one => one.IsOurs)],
        async bout =>
        {
            var clock = Stopwatch.StartNew();
            do
            {
                await OpenAsync(bout, Few);
                await SayAsync(bout, 1);
                await OpenAsync(bout, Few);
                await bout.DoAsync("leave 1");
            }
            while (clock.Elapsed < comparison.WarmUp(bout.Contestant));
        },
        bout => MeasureAsync(bout, comparison.Results));

    private async Task MeasureAsync(Bout bout, Results results)
    {
        await OpenAsync(bout, Tunnels);
        var idle = await IdleAsync(bout);
        var (tenths, cut) = (Array.Empty<double>(), 0);
        var goodbye = await CpuAsync(bout, async () => (tenths, cut) = await SayAsync(bout, Seconds));
        await OpenAsync(bout, Tunnels);
        var close = await CpuAsync(bout, () => bout.DoAsync($"leave {Seconds}"));

        // Less what the process takes in the same time with nothing to do: timers, sweeps.
        var (perGoodbye, perClose) = ((goodbye.Cpu - (idle * goodbye.Seconds)) / Tunnels, (close.Cpu - (idle * close.Seconds)) / Tunnels);
        results.Add(_goodbye, bout.Contestant, perGoodbye * 1e6);
        results.Add(_close, bout.Contestant, perClose * 1e6);
        results.Add(_growth, bout.Contestant, perGoodbye / perClose);
        results.Add(_unevenness, bout.Contestant, tenths.Sum(tenth => Math.Pow(tenth - (Tunnels / 10.0), 2) / (Tunnels / 10.0)));
        results.Add(_cut, bout.Contestant, cut);
    }

    private async Task OpenAsync(Bout bout, int count)
    {
        for (; count > 0; count -= Few) await bout.DoAsync($"open-talk {target} {Math.Min(count, Few)}"); // An answer is awaited for two minutes only.
        await Task.Delay(Pause);
    }

    private static async Task<(double[] Tenths, int Cut)> SayAsync(Bout bout, int seconds)
    {
        var told = bout.DoAsync(string.Create(CultureInfo.InvariantCulture, $"goodbyes {Stopwatch.GetTimestamp()} {seconds}"));
        var ends = await bout.Balancer.AskAsync($"hand-off {seconds}");
        return ([.. (await told).Split(' ').Select(tenth => double.Parse(tenth, CultureInfo.InvariantCulture))],
            int.Parse(ends.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    private static async Task<double> IdleAsync(Bout bout)
    {
        var (cpu, seconds) = await CpuAsync(bout, () => Task.Delay(Rest));
        return cpu / seconds;
    }

    private static async Task<(double Cpu, double Seconds)> CpuAsync(Bout bout, Func<Task> work)
    {
        var (before, began) = (bout.Balancer.Processes.CpuSeconds(), Stopwatch.GetTimestamp());
        await work();
        return (bout.Balancer.Processes.CpuSeconds() - before, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }
}
