using StickyWs.Benchmarks.Balancers;

namespace StickyWs.Benchmarks.Peers;

/// <summary>Memory that one more connection at rest costs: the slope between few and many, each of which has carried one message or request.</summary>
/// <param name="key">The name on the command line.</param>
/// <param name="wiring">Where there is TLS.</param>
/// <param name="open">What the load opens, without the number.</param>
/// <param name="limit">The most that one may cost, in bytes.</param>
internal sealed class IdleMeasurement(string key, Wiring wiring, Func<int, string> open, string unit, double limit) : Measurement(key, wiring)
{
    private const int Few = 2000;
    private const int Many = 8000;
    private const int WarmUps = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Figure _memory = new($"{key}: memory, B per {unit}", "F0", new Target(limit));

    public static IdleMeasurement Plain { get; } = new("idle", Wiring.Plain, count => $"open {{port}} {count}", "tunnel", 512);

    public static IdleMeasurement Http { get; } = new("http-idle", Wiring.Plain, count => $"open-http {{port}} {count} small", "client", 2048);

    public static IdleMeasurement Tls { get; } = new("tls-idle", Wiring.TlsToClients, count => $"open tls:{{port}} {count}", "tunnel", 1024);

    public override IReadOnlyList<Figure> Figures => [_memory];

    public override bool Takes(Contestant contestant) => base.Takes(contestant) || (contestant.Key == Contestant.Logged && Wiring == Wiring.Plain);

    public override Task RunAsync(Comparison comparison) => comparison.AnewAsync(async bout =>
    {
        for (var i = 0; i < WarmUps; i++)
        {
            // What a process takes once, compiled code above all, is not to count.
            await bout.DoAsync(open(Few));
            await Task.Delay(Pause);
            await bout.DoAsync("close-but 0");
            await bout.Balancer.CollectAsync();
            await Task.Delay(Pause);
        }

        await bout.DoAsync(open(Few));
        var few = await Memory.SettledAsync(bout.Balancer);
        await bout.DoAsync(open(Many - Few));
        var many = await Memory.SettledAsync(bout.Balancer);
        comparison.Results.Add(_memory, bout.Contestant, (double)(many - few) / (Many - Few));
    });
}
