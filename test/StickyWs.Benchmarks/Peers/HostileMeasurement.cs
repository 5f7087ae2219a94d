using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Traffic;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What a hostile client costs because its frames are followed: the same with and without, in turns.</summary>
internal sealed class HostileMeasurement() : Measurement("hostile", Wiring.Plain)
{
    private readonly Dictionary<HostileStream, (Figure Cpu, Figure Growth)> _figures = Enum.GetValues<HostileStream>().ToDictionary(
        what => what,
        what => (new Figure($"hostile: {Name(what)}, CPU of the balancer, s per GB", "F2"),
            new Figure($"hostile: {Name(what)}, over the same without following frames", "F2", new Target(1.05)) { HasRatio = false }));

    public override IReadOnlyList<Figure> Figures => [.. _figures.Values.SelectMany(pair => new[] { pair.Cpu, pair.Growth })];

    public override Task RunAsync(Comparison comparison) => comparison.AnewAsync(
        [.. comparison.Contestants.Where(one => one.IsOurs)], contestant => RunAsync(comparison, contestant));

    private async Task RunAsync(Comparison comparison, Contestant contestant)
    {
        var place = comparison.PlaceOf(contestant);
        using var following = await Comparison.StartAsync(contestant, place);
        using var blind = await Comparison.StartAsync(contestant, place with { FollowsFrames = false });
        foreach (var (what, (cpu, growth)) in _figures)
        {
            var work = $"flood {{port}} {{seconds}} {what}";
            foreach (var bout in new[] { following, blind }) await bout.WarmUpAsync(work, comparison.WarmUp(contestant) / _figures.Count);
            var (with, without) = (await following.MeasureAsync(work, comparison.Duration), await blind.MeasureAsync(work, comparison.Duration));
            comparison.Results.Add(cpu, contestant, with.Balancer * 1e9);
            comparison.Results.Add(growth, contestant, with.Balancer / without.Balancer);
        }
    }

    private static string Name(HostileStream what) => what switch
    {
        HostileStream.Pings => "pings",
        HostileStream.Trickled => "trickled",
        HostileStream.Endless => "endless",
        _ => "lost",
    };
}
