using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>How much a balancer hoards for a client that does not read while its backend sends as fast as it can.</summary>
internal sealed class StalledMeasurement() : Measurement("stalled", Wiring.Plain)
{
    private const int Samples = 30;

    private readonly Figure _growth = new("stalled: growth of memory behind one client that does not read, MiB", "F1", new Target(4)) { HasRatio = false };

    public override IReadOnlyList<Figure> Figures => [_growth];

    public override Task RunAsync(Comparison comparison) => comparison.AnewAsync(async bout =>
    {
        // So that code that compiles while it runs has done so, for that takes memory too.
        await bout.DoAsync("open {port} 64");
        await bout.WarmUpAsync("echo {seconds} 64", comparison.WarmUp(bout.Contestant) / 4);
        var before = await Memory.SettledAsync(bout.Balancer);
        await bout.DoAsync("open-stalled {port}");
        var most = before;
        for (var sample = 0; sample < Samples; sample++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100));
            most = Math.Max(most, bout.Balancer.Processes.Memory());
        }

        comparison.Results.Add(_growth, bout.Contestant, (most - before) / (1024.0 * 1024));
    });
}
