using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>One of four backends is killed, and all of its clients come back at once.</summary>
internal sealed class StormMeasurement() : Measurement("storm", Wiring.Plain)
{
    public const int Backends = 4;
    public const int HandshakeMilliseconds = 2;
    public const int Limit = 8;
    public const int WellBehaved = 64;
    public const int PerSecond = 1000;

    // For a process: two files for each tunnel.
    private static readonly int Reserve = 2000;
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(0.3);

    private readonly Figure _back = new("storm: all are back, s after the first lost its tunnel", "F2");
    private readonly Figure _most = new("storm: most handshakes at one backend at a time", "F0", new Target(Limit)) { HasRatio = false };
    private readonly Figure _cpu = new("storm: CPU of the balancer meanwhile, µs per client", "F0");
    private readonly Figure _failed = new("storm: attempts of clients that failed", "F0") { HasRatio = false };
    private readonly Figure _ended = new("storm: tunnels that ended", "F0") { HasRatio = false };
    private readonly Figure _missing = new("storm: clients that were not back within a minute", "F0", new Target(0)) { HasRatio = false };
    private readonly Figure _medianBefore = new("storm: echo of another client before, median, µs", "F0");
    private readonly Figure _highBefore = new("storm: echo of another client before, p99, µs", "F0");
    private readonly Figure _medianWithin = new("storm: echo of another client in the 2 s of the storm, median, µs", "F0");
    private readonly Figure _highWithin = new("storm: echo of another client in the 2 s of the storm, p99, µs", "F0");
    private readonly Figure _medianGrowth = new("storm: that median over the one before", "F2", new Target(2)) { HasRatio = false };
    private readonly Figure _highGrowth = new("storm: that p99 over the one before", "F2", new Target(2)) { HasRatio = false };

    /// <summary>How many tunnels there are in all; fewer if a process may not open so many files.</summary>
    public static int Tunnels { get; } = Backends * Math.Min(2000, (OpenFiles.Limit - Reserve) / 2 / Backends);

    public override IReadOnlyList<Figure> Figures =>
        [_back, _cpu, _most, _failed, _missing, _ended, _medianBefore, _medianWithin, _medianGrowth, _highBefore, _highWithin, _highGrowth];

    public override async Task RunAsync(Comparison comparison)
    {
        var those = comparison.Contestants.Where(one => !one.Key.StartsWith(Contestant.HaProxySplice, StringComparison.Ordinal)).ToList();
        await comparison.AnewAsync(those, contestant => RunAsync(comparison, contestant));
    }

    private async Task RunAsync(Comparison comparison, Contestant contestant)
    {
        var backends = new List<Child>();
        try
        {
            for (var i = 0; i < Backends; i++) backends.Add(await Child.StartEndAsync("serve-backend"));
            using var bout = await Comparison.StartAsync(contestant, PlaceBefore(backends));
            using var others = await Child.StartEndAsync("load");
            var wellBehaved = bout.With(others);
            await bout.WarmUpAsync("handshake {port} {seconds} 1000", comparison.WarmUp(contestant));
            await wellBehaved.DoAsync($"open {{port}} {WellBehaved}");
            await wellBehaved.WarmUpAsync($"paced {{seconds}} {PerSecond}", comparison.WarmUp(contestant) / 4);
            await bout.DoAsync($"open {{port}} {Tunnels}");
            await MeasureAsync(comparison.Results, bout, wellBehaved, backends);
        }
        finally
        {
            backends.ForEach(backend => backend.Dispose());
        }
    }

    private async Task MeasureAsync(Results results, Bout bout, Bout wellBehaved, List<Child> backends)
    {
        var stretch = TimeSpan.FromSeconds(2);
        var before = await EchoAsync(wellBehaved, "paced", stretch);
        foreach (var backend in backends) await backend.AskAsync($"slow {HandshakeMilliseconds}");
        var (storm, cpu) = (bout.DoAsync("storm {port}"), bout.Balancer.Processes.CpuSeconds());
        await Task.Delay(Lead);
        var within = EchoAsync(wellBehaved, "paced-and-lost", stretch);
        await backends[0].KillAsync();
        var (echo, outcome) = (await within, Numbers(await storm));
        cpu = bout.Balancer.Processes.CpuSeconds() - cpu;
        var most = 0.0;
        foreach (var backend in backends.Skip(1)) most = Math.Max(most, Numbers(await backend.AskAsync("most"))[0]);

        Add(_back, outcome[0]);
        Add(_cpu, cpu * 1e6 / outcome[1]);
        Add(_ended, outcome[1]);
        Add(_failed, outcome[2]);
        Add(_missing, outcome[3]);
        Add(_most, most);
        Add(_medianBefore, before[0] / 1000);
        Add(_highBefore, before[1] / 1000);
        Add(_medianWithin, echo[0] / 1000);
        Add(_highWithin, echo[1] / 1000);
        Add(_medianGrowth, echo[0] / before[0]);
        Add(_highGrowth, echo[1] / before[1]);
        void Add(Figure figure, double value) => results.Add(figure, bout.Contestant, value);
    }

    private static async Task<double[]> EchoAsync(Bout bout, string command, TimeSpan duration)
        => Numbers(await bout.DoAsync($"{command} {{seconds}} {PerSecond}", duration));

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];

    private static Place PlaceBefore(List<Child> backends)
    {
        var addresses = backends.Select((backend, i) => $"127.0.0.{10 + i}:{backend.Greeting}").ToList();
        return new Place(addresses[0], false, null) { Others = addresses[1..], MaxHandshakes = Limit };
    }
}
