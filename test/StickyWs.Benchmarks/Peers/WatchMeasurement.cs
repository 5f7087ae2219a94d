using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>Whether a message costs more while somebody has the dashboard's page open, or only because there is one. All tunnels echo.</summary>
internal sealed class WatchMeasurement() : Measurement("watch", Wiring.Plain)
{
    private const int Few = 1000;

    // StickyWs keeps a twentieth of its descriptors free.
    private static readonly int Reserve = 600 + (OpenFiles.Limit / 20);
    private static readonly TimeSpan LeadIn = TimeSpan.FromSeconds(0.2);

    private readonly Figure _cpu = new($"watch: CPU of the balancer, {Tunnels:N0} tunnels busy, µs per message", "F2",
        new Target(1.03, Contestant.Raw) { Of = Contestant.Watched }, new Target(1, Contestant.Raw) { Of = Contestant.Dashboard });

    /// <summary>How many; fewer if a process may not open so many files: the backend has them of all three.</summary>
    public static int Tunnels { get; } = Math.Min(10_000, (OpenFiles.Limit - Reserve) / 3);

    public override IReadOnlyList<Figure> Figures => [_cpu];

    public override bool Takes(Contestant contestant) => contestant.Key is Contestant.Raw or Contestant.Dashboard or Contestant.Watched;

    public override Task RunAsync(Comparison comparison) => comparison.TogetherAsync(
        comparison.Contestants,
        async bout =>
        {
            // In parts: an answer is awaited for two minutes only.
            for (var count = Tunnels; count > 0; count -= Few) await bout.DoAsync($"open {{port}} {Math.Min(count, Few)}");
            await bout.WarmUpAsync(Echo, comparison.WarmUp(bout.Contestant));
        },
        async bout =>
        {
            await bout.DoAsync(Echo, LeadIn);
            comparison.Results.Add(_cpu, bout.Contestant, (await bout.MeasureAsync(Echo, comparison.Duration)).Balancer * 1e6);
        });

    private static string Echo => $"echo {{seconds}} {Tunnels}";
}
