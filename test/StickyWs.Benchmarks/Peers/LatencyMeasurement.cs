using System.Globalization;
using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>What a balancer adds to the round trip of a message, at a rate that leaves everybody time.</summary>
internal sealed class LatencyMeasurement() : Measurement("latency")
{
    private const int PerSecond = 4000;

    private readonly Figure _median = new($"latency: added at {PerSecond:N0} messages/s, median, µs", "F0");
    private readonly Figure _high = new($"latency: added at {PerSecond:N0} messages/s, p99, µs", "F0");
    private readonly Figure _wholeMedian = new("latency: whole round trip, median, µs", "F0");
    private readonly Figure _wholeHigh = new("latency: whole round trip, p99, µs", "F0", new Target(1, Contestant.HaProxy), new Target(1, Contestant.Nginx));

    public override IReadOnlyList<Figure> Figures => [_median, _high, _wholeMedian, _wholeHigh];

    public override async Task RunAsync(Comparison comparison)
    {
        await comparison.TogetherAsync(
            [comparison.Direct, .. comparison.Contestants],
            async bout =>
            {
                await bout.DoAsync("open {port} 64");
                await bout.WarmUpAsync($"paced {{seconds}} {PerSecond}", comparison.WarmUp(bout.Contestant));
            },
            bout => MeasureAsync(bout, comparison));
        Subtract(comparison, _wholeMedian, _median);
        Subtract(comparison, _wholeHigh, _high);
    }

    private async Task MeasureAsync(Bout bout, Comparison comparison)
    {
        var answer = await bout.DoAsync($"paced {{seconds}} {PerSecond}", comparison.Duration);
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
