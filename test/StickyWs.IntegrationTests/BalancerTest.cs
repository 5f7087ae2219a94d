using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests;

/// <summary>What every test of behaviour has: things that end with it, and the proof that after it no lease is held.</summary>
public abstract class BalancerTest : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _clients = [];
    private readonly List<IAsyncDisposable> _backends = [];
    private readonly List<Balancer> _balancers = [];

    public static TheoryData<Lane> EveryLane { get; } = new(Enum.GetValues<Lane>());

    public static TheoryData<Lane> PlainLanes { get; } = new(Lane.Raw, Lane.RawEpoll, Lane.RawInline, Lane.Portable, Lane.KeptAlive);

    /// <summary>Those in which the first request of a plain connection is sniffed.</summary>
    public static TheoryData<Lane> FirstRequestLanes { get; } = new(Lane.Raw, Lane.RawEpoll, Lane.RawInline, Lane.Portable, Lane.RawTls);

    /// <summary>The same, and inside the TLS that ends in the raw lane.</summary>
    public static TheoryData<Lane> FirstRequestAndTlsLanes { get; } = [.. FirstRequestLanes, Lane.RawTlsKept];

    public static TheoryData<Lane> SniffedLanes { get; } = new(Lane.Raw, Lane.RawEpoll, Lane.RawInline, Lane.Portable, Lane.SniffedInsideTls,
        Lane.RawTls, Lane.RawTlsEpoll, Lane.RawTlsKept);

    /// <summary>Those whose tunnels to backends with TLS are in the raw lane, too; without Linux they are not.</summary>
    public static TheoryData<Lane> RawTlsBackendLanes { get; } = new(Lane.Raw, Lane.RawEpoll, Lane.RawTls, Lane.RawTlsEpoll, Lane.RawTlsKept);

    /// <summary>Every lane to a plain backend, and those of the raw lane to one with TLS.</summary>
    public static TheoryData<Lane, bool> EveryLaneAndBackend { get; } =
    [
        .. from lane in Enum.GetValues<Lane>() from isTls in new[] { false, true } where !isTls || lane is Lane.Raw or Lane.RawEpoll || lane.IsRawTls()
        select new TheoryDataRow<Lane, bool>(lane, isTls),
    ];

    public static TheoryData<Lane> PipelineLanes { get; } = new(Lane.KeptAlive, Lane.InsideTls);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        try
        {
            foreach (var balancer in _balancers) await balancer.AssertNoLeasesAsync();
            Assert.All(_backends.OfType<RawBackend>(), backend => Assert.Null(backend.ScriptFailure));
        }
        finally
        {
            foreach (var balancer in _balancers) await balancer.DisposeAsync();
            foreach (var backend in _backends) await backend.DisposeAsync();
        }
    }

    protected static LiveSettings Pool(params string[] addresses) => new LiveSettings().WithPool("chat", addresses);

    /// <summary>A client that takes any certificate, since that of the balancer is made for the test.</summary>
    protected static HttpClient TrustingClient(Uri? address = null) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    })
    { BaseAddress = address };

    /// <summary>A backend that answers probes of /health, and switches protocols for all others.</summary>
    /// <param name="isHealthy">What it answers them.</param>
    /// <param name="tunnel">What it does with an open tunnel.</param>
    protected static RawBackend ProbedBackend(Func<bool> isHealthy, Func<RawBackend, Wire, Task> tunnel) => RawBackend.Start(async (backend, wire) =>
    {
        var head = await backend.TakeHeadAsync(wire);
        if (head.StartsWith("GET /health ", StringComparison.Ordinal))
        {
            await wire.WriteAsync($"HTTP/1.1 {(isHealthy() ? "200 OK" : "503 No")}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            await wire.FinishAsync();
            return;
        }

        await wire.WriteAsync(HttpHead.SwitchingProtocols(head, ""));
        await tunnel(backend, wire);
    });

    /// <summary>The certificate of a backend with TLS.</summary>
    protected static X509Certificate2? CertificateIf(bool isTls) => isTls ? TestCertificate.Server : null;

    /// <summary>A pool that accepts any certificate.</summary>
    protected static LiveSettings TrustingPool(params string[] addresses)
        => Pool(addresses).With("Pools:chat:Tls:DangerousAcceptAnyCertificate", "true");

    protected T Owned<T>(T backend)
        where T : IAsyncDisposable
    {
        _backends.Add(backend);
        return backend;
    }

    protected T OwnedClient<T>(T client)
        where T : IAsyncDisposable
    {
        lock (_clients) _clients.Add(client);
        return client;
    }

    protected Balancer Owned(Balancer balancer)
    {
        _balancers.Add(balancer);
        return balancer;
    }

    protected Balancer Start(Lane lane, params string[] addresses) => Owned(Balancer.Start(lane, Pool(addresses)));

    protected Balancer Start(Lane lane, LiveSettings settings) => Owned(Balancer.Start(lane, settings));

    protected async Task<EchoBackend[]> StartEchoesAsync(int count)
    {
        var backends = new EchoBackend[count];
        for (var i = 0; i < count; i++) backends[i] = Owned(await EchoBackend.StartAsync(((char)('a' + i)).ToString()));
        return backends;
    }

    protected async Task<RawClient> ConnectAsync(Balancer balancer, Lane lane) => OwnedClient(await balancer.ConnectAsync(lane));

    /// <summary>A new configuration of the pool, which changes no backend; waits until it applies.</summary>
    /// <param name="balancer">The balancer.</param>
    /// <param name="retryAfter">What it changes: another time than before.</param>
    protected static async Task ReloadAsync(Balancer balancer, TimeSpan retryAfter)
    {
        balancer.Settings.Change(data => data["StickyWs:Pools:chat:RetryAfter"] = retryAfter.ToString("c"));
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Options.RetryAfter == retryAfter);
    }

    /// <summary>A client with an open tunnel, and the backend's end of it.</summary>
    protected async Task<(RawClient Client, Wire Backend)> OpenTunnelAsync(Balancer balancer, Lane lane, RawBackend backend)
    {
        var client = await ConnectAsync(balancer, lane);
        var answer = await client.AskAsync(HttpHead.Handshake());
        Assert.Equal(101, HttpHead.Status(answer));
        return (client, await backend.NextTunnelAsync());
    }
}
