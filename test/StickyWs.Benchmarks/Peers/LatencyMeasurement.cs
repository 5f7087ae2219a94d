using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What a balancer adds to the round trip of a message, at a rate that leaves everybody time.</summary>
/// <param name="key">The name on the command line.</param>
/// <param name="wiring">Where there is TLS.</param>
/// <param name="open">What the load does once, before everything else.</param>
/// <param name="work">What it does in every round.</param>
/// <param name="targets">The targets of the whole round trip's 99th percentile.</param>
internal sealed class LatencyMeasurement(string key, Wiring wiring, string open, string work, params Target[] targets) : Measurement(key, wiring)
{
    private const int PerSecond = 4000;
    private const int HandshakesPerSecond = 200;

    private readonly Figure _median = new($"{key}: added at {PerSecond:N0} messages/s, median, µs", "F0");
    private readonly Figure _high = new($"{key}: added at {PerSecond:N0} messages/s, p99, µs", "F0");
    private readonly Figure _wholeMedian = new($"{key}: whole round trip, median, µs", "F0");
    private readonly Figure _wholeHigh = new($"{key}: whole round trip, p99, µs", "F0", targets);

    public static LatencyMeasurement Plain { get; } = new(
        "latency", Wiring.Plain, "open {port} 64", $"paced {{seconds}} {PerSecond}", new(1, Contestant.HaProxy), new(1, Contestant.Nginx));

    public static LatencyMeasurement Tls { get; } = new(
        "tls-latency", Wiring.TlsToClients, "open tls:{port} 1000", $"paced-among tls:{{port}} {{seconds}} {PerSecond} {HandshakesPerSecond}",
        new Target(1, Contestant.HaProxy, Contestant.Nginx));

    public override IReadOnlyList<Figure> Figures => [_median, _high, _wholeMedian, _wholeHigh];

    public override async Task RunAsync(Comparison comparison)
    {
        await comparison.TogetherAsync(
            [comparison.Direct, .. comparison.Contestants],
            async bout =>
            {
                await bout.DoAsync(open);
                await bout.WarmUpAsync(work, comparison.WarmUp(bout.Contestant));
            },
            bout => MeasureAsync(bout, comparison));
        Subtract(comparison, _wholeMedian, _median);
        Subtract(comparison, _wholeHigh, _high);
    }

    private async Task MeasureAsync(Bout bout, Comparison comparison)
    {
        var answer = await bout.DoAsync(work, comparison.Duration);
        var nanoseconds = answer.Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        comparison.Results.Add(_wholeMedian, bout.Contestant, nanoseconds[0] / 1000);
        comparison.Results.Add(_wholeHigh, bout.Contestant, nanoseconds[1] / 1000);
    }

    // Round by round, as ratios are.
    private static void Subtract(Comparison comparison, Figure whole, Figure added)
    {
        var direct = comparison.Results.Rounds(whole, comparison.Direct.Key);
        foreach (var contestant in comparison.Contestants)
        {
            foreach (var (through, without) in comparison.Results.Rounds(whole, contestant.Key).Zip(direct))
                comparison.Results.Add(added, contestant, through - without);
        }
    }
}
