using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Traffic;

namespace StickyWs.Benchmarks.Peers;

/// <summary>CPU per unit of work under a load that always has something under way.</summary>
/// <param name="key">The name on the command line.</param>
/// <param name="wiring">Where there is TLS.</param>
/// <param name="open">What the load does once, before everything else.</param>
/// <param name="work">What it does in every round.</param>
/// <param name="scale">How many of the figure's units a CPU second per unit of work is.</param>
/// <param name="unit">The figure's unit.</param>
/// <param name="targets">The targets of the balancer's part.</param>
internal sealed class CpuMeasurement(
    string key, Wiring wiring, string? open, string work, double scale, string unit, params Target[] targets) : Measurement(key, wiring)
{
    private static readonly TimeSpan LeadIn = TimeSpan.FromSeconds(0.2);

    private readonly Figure _balancer = new($"{key}: CPU of the balancer, {unit}", "F2", targets);
    private readonly Figure _machine = new($"{key}: CPU of the whole machine, {unit}", "F2");
    private readonly Figure _busy = new($"{key}: the balancer's core in use, %", "F0") { HasRatio = false };

    public static CpuMeasurement Echo { get; } = new(
        "echo", Wiring.Plain, "open {port} 64", "echo {seconds} 64", 1e6, "µs per message",
        new(0.65, Contestant.HaProxy), new(0.65, Contestant.Nginx), new(0.45, Contestant.Yarp));

    public static CpuMeasurement Bulk { get; } = new(
        "bulk", Wiring.Plain, "open {port} 16", $"bulk {{seconds}} 16 {Messages.BulkPayload} {Messages.BulkDepth}", 1e9, "s per GB",
        new(0.5, Contestant.HaProxy), new(1, Contestant.HaProxySplice));

    public static CpuMeasurement Handshake { get; } = new(
        "handshake", Wiring.Plain, null, "handshake {port} {seconds} 5000", 1e6, "µs per tunnel",
        new(0.95, Contestant.Nginx), new(1.15, Contestant.HaProxy), new(0.45, Contestant.Yarp));

    public static CpuMeasurement Http { get; } = new(
        "http", Wiring.Plain, "open-http {port} 64 small", "http {seconds} small", 1e6, "µs per request",
        new Target(1, Contestant.Portable), new Target(1, Contestant.Epoll));

    public static CpuMeasurement HttpLarge { get; } = new(
        "http-large", Wiring.Plain, "open-http {port} 64 large", "http {seconds} large", 1e6, "µs per request");

    public static CpuMeasurement HttpDownload { get; } = new(
        "http-download", Wiring.Plain, "open-http {port} 16 download", "http {seconds} download", 1e6, "µs per MB");

    public static CpuMeasurement HttpUpload { get; } = new(
        "http-upload", Wiring.Plain, "open-http {port} 16 upload", "http {seconds} upload", 1e6, "µs per MB");

    public static CpuMeasurement TlsEcho { get; } = new(
        "tls-echo", Wiring.TlsToClients, "open tls:{port} 64", "echo {seconds} 64", 1e6, "µs per message",
        new Target(0.85, Contestant.HaProxy, Contestant.Nginx));

    public static CpuMeasurement TlsBulk { get; } = new(
        "tls-bulk", Wiring.TlsToClients, "open tls:{port} 16", $"bulk {{seconds}} 16 {Messages.TlsBulkPayload} 1", 1e9, "s per GB",
        new Target(0.75, Contestant.HaProxy, Contestant.Nginx));

    public static CpuMeasurement TlsHandshake { get; } = new(
        "tls-handshake", Wiring.TlsToClients, null, "handshake tls:{port} {seconds} 5000", 1e6, "µs per tunnel",
        new Target(1.1, Contestant.HaProxy, Contestant.Nginx));

    public static CpuMeasurement TlsResumed { get; } = new(
        "tls-resumed", Wiring.TlsToClients, null, "handshake resumed:{port} {seconds} 5000", 1e6, "µs per tunnel",
        new Target(1.1, Contestant.HaProxy, Contestant.Nginx));

    public static CpuMeasurement TlsHttp { get; } = new(
        "tls-http", Wiring.TlsToClients, "open-http tls:{port} 64 small", "http {seconds} small", 1e6, "µs per request",
        new Target(0.85, Contestant.SslStream));

    public static CpuMeasurement TlsBackend { get; } = new(
        "tls-backend", Wiring.TlsToBoth, "open tls:{port} 64", "echo {seconds} 64", 1e6, "µs per message",
        new Target(0.9, Contestant.HaProxy, Contestant.Nginx));

    public override IReadOnlyList<Figure> Figures => [_balancer, _machine, _busy];

    public override Task RunAsync(Comparison comparison) => comparison.TogetherAsync(
        comparison.Contestants,
        bout => PrepareAsync(bout, comparison.WarmUp(bout.Contestant)),
        bout => MeasureAsync(bout, comparison));

    private async Task PrepareAsync(Bout bout, TimeSpan warmUp)
    {
        if (open is not null) await bout.DoAsync(open);
        await bout.WarmUpAsync(work, warmUp);
    }

    private async Task MeasureAsync(Bout bout, Comparison comparison)
    {
        await bout.DoAsync(work, LeadIn);
        var cost = await bout.MeasureAsync(work, comparison.Duration);
        comparison.Results.Add(_balancer, bout.Contestant, cost.Balancer * scale);
        comparison.Results.Add(_machine, bout.Contestant, cost.Machine * scale);
        comparison.Results.Add(_busy, bout.Contestant, cost.Busy * 100);
    }
}
