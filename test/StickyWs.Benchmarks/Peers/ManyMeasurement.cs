using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>Whether a message costs more when most of the open tunnels are at rest.</summary>
internal sealed class ManyMeasurement() : Measurement("many", Wiring.Plain)
{
    private const int Active = 64;
    private const int Open = 8000;

    // For the balancer and the backend to let go of what was closed, before a neighbour opens as many.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeadIn = TimeSpan.FromSeconds(0.2);

    private readonly Figure _growth = new($"many: CPU per message, {Active} of {Open:N0} tunnels busy over {Active} of {Active}", "F2",
        new Target(1.1))
    { HasRatio = false };
    private readonly Figure _cpu = new($"many: CPU of the balancer, {Active} of {Open:N0} tunnels busy, µs per message", "F2");

    public override IReadOnlyList<Figure> Figures => [_growth, _cpu];

    public override Task RunAsync(Comparison comparison) => comparison.TogetherAsync(
        comparison.Contestants,
        async bout =>
        {
            await bout.DoAsync($"open {{port}} {Active}");
            await bout.WarmUpAsync($"echo {{seconds}} {Active}", comparison.WarmUp(bout.Contestant));
        },
        async bout =>
        {
            var alone = await EchoAsync(bout, comparison.Duration);
            await bout.DoAsync($"open {{port}} {Open - Active}");
            var among = await EchoAsync(bout, comparison.Duration);
            await bout.DoAsync($"close-but {Active}");
            await Task.Delay(Rest);
            comparison.Results.Add(_growth, bout.Contestant, among.Balancer / alone.Balancer);
            comparison.Results.Add(_cpu, bout.Contestant, among.Balancer * 1e6);
        });

    private static async Task<Cost> EchoAsync(Bout bout, TimeSpan duration)
    {
        await bout.DoAsync($"echo {{seconds}} {Active}", LeadIn);
        return await bout.MeasureAsync($"echo {{seconds}} {Active}", duration);
    }
}
