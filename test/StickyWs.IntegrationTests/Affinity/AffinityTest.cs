using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>What the tests of affinity have in common: backends that say who they are, and clients that ask once and are gone.</summary>
public abstract class AffinityTest : BalancerTest
{
    public static TheoryData<StoreKind> EveryStore { get; } = new(Enum.GetValues<StoreKind>());

    /// <summary>The lanes that differ in how a backend is chosen.</summary>
    public static TheoryData<Lane> ChoosingLanes { get; } = new(Lanes.AboveReactors);

    /// <summary>A plain request (none), and a handshake in each of those lanes.</summary>
    public static Lane?[] Ways { get; } = [null, .. Lanes.AboveReactors];

    /// <summary>What <c>openssl rand -base64 32</c> gives.</summary>
    protected static string RandomKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    protected static string? BackendOf(string answer) => HttpHead.Value(answer, "X-Backend");

    /// <summary>The balancer's cookie as the client sends it back, or <see langword="null"/>.</summary>
    protected static string? CookieOf(string answer, string name = "StickyWs")
        => HttpHead.Values(answer, "Set-Cookie").SingleOrDefault(cookie => cookie.StartsWith(name + "=", StringComparison.Ordinal))?.Split(';')[0];

    protected static string Sends(string? cookie)
        => $"Cookie: {cookie ?? throw new ArgumentNullException(nameof(cookie), "The answer brought no cookie.")}\r\n";

    protected Balancer Start(Lane lane, LiveSettings settings, Action<IServiceCollection> services)
        => Owned(Balancer.Start(lane, settings, builder => builder.ConfigureServices(services)));

    private protected async Task<SharedStore> StartStoreAsync(StoreKind kind) => Owned(await SharedStore.StartAsync(kind));

    private protected async Task<StatefulBackend[]> StartStatefulAsync(int count, Microsoft.AspNetCore.Http.RequestDelegate? first = null)
    {
        var backends = new StatefulBackend[count];
        for (var i = 0; i < count; i++) backends[i] = Owned(await StatefulBackend.StartAsync(((char)('a' + i)).ToString(), first));
        return backends;
    }

    private protected static LiveSettings PoolOf(IEnumerable<StatefulBackend> backends) => Pool([.. backends.Select(backend => backend.Address)]);

    private protected static LiveSettings PoolOf(IEnumerable<EchoBackend> backends) => Pool([.. backends.Select(backend => backend.Address)]);

    /// <summary>One handshake in the lane; the client is gone once it has the answer's head.</summary>
    protected static async Task<string> ShakeAsync(Balancer balancer, Lane lane, string headers = "", string target = "/")
    {
        await using var client = await balancer.ConnectAsync(lane);
        return await client.AskAsync(HttpHead.Handshake(target, headers));
    }

    /// <summary>The same, which must open a tunnel: the name of the backend.</summary>
    protected static async Task<string> ReachAsync(Balancer balancer, Lane lane, string headers = "", string target = "/")
    {
        var answer = await ShakeAsync(balancer, lane, headers, target);
        Assert.Equal(101, HttpHead.Status(answer));
        return BackendOf(answer)!;
    }

    /// <summary>One plain request on a connection of its own; the answer's head.</summary>
    protected static async Task<string> GetAsync(Balancer balancer, string headers = "", string target = "/")
    {
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        return await client.AskAsync($"GET {target} HTTP/1.1\r\nHost: example.test\r\n{headers}\r\n");
    }

    /// <summary>A handshake in the lane or, without one, a plain request.</summary>
    protected static Task<string> AskAsync(Balancer balancer, Lane? lane, string headers = "", string target = "/")
        => lane is { } way ? ShakeAsync(balancer, way, headers, target) : GetAsync(balancer, headers, target);

    /// <summary>Turns a thing on or off while the balancer runs, and waits until it has.</summary>
    protected static async Task EnableAsync(Balancer balancer, string backend, bool isEnabled)
    {
        balancer.Settings.Change(data => data[$"StickyWs:Pools:chat:Backends:{backend}:Enabled"] = isEnabled ? "true" : "false");
        await Wait.UntilAsync(() => StateOf(balancer, backend) == BackendState.Draining != isEnabled);
    }

    protected static BackendState StateOf(Balancer balancer, string backend)
        => balancer.Registry.Current.Pools.Single().Backends.Single(b => b.Name == backend).State;

    /// <summary>Begins to count what became of requests and handshakes, by <c>stickyws.affinity</c>.</summary>
    protected static MetricCollector<long> CountAffinity(Balancer balancer)
        => new(balancer.Services.GetRequiredService<StickyWsMetrics>().Meter.Scope, StickyWsMetrics.MeterName, "stickyws.affinity");

    protected static IReadOnlyList<string> OutcomesOf(MetricCollector<long> affinity)
        => [.. affinity.GetMeasurementSnapshot().Select(measurement => (string)measurement.Tags["stickyws.affinity.outcome"]!)];
}
