namespace StickyWs.Benchmarks.Peers;

/// <summary>Memory that one more tunnel at rest costs: the slope between few and many, each of which has carried one message.</summary>
internal sealed class IdleMeasurement() : Measurement("idle")
{
    private const int Few = 2000;
    private const int Many = 8000;
    private const int WarmUps = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Figure _memory = new("idle: memory, B per tunnel", "F0", new Target(512));

    public override IReadOnlyList<Figure> Figures => [_memory];

    public override Task RunAsync(Comparison comparison) => comparison.AnewAsync(async bout =>
    {
        for (var i = 0; i < WarmUps; i++)
        {
            // What a process takes once, compiled code above all, is not to count.
            await bout.DoAsync($"open {{port}} {Few}");
            await Task.Delay(Pause);
            await bout.DoAsync("close-but 0");
            await bout.Balancer.CollectAsync();
            await Task.Delay(Pause);
        }

        await bout.DoAsync($"open {{port}} {Few}");
        var few = await Memory.SettledAsync(bout.Balancer);
        await bout.DoAsync($"open {{port}} {Many - Few}");
        var many = await Memory.SettledAsync(bout.Balancer);
        comparison.Results.Add(_memory, bout.Contestant, (double)(many - few) / (Many - Few));
    });
}
