using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>The balancer on real Kestrel, in front of given backends. Disposing it proves that every lease was given back.</summary>
internal sealed class ProxyHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ProxyHost(WebApplication app, Outcomes outcomes)
    {
        _app = app;
        Outcomes = outcomes;
        var addresses = app.Urls.Select(url => new Uri(url)).ToArray();
        Http1 = addresses[0];
        Http2 = addresses[1];
    }

    public Uri Http1 { get; }

    public Uri Http2 { get; }

    public Outcomes Outcomes { get; }

    public BackendRegistry Registry => _app.Services.GetRequiredService<BackendRegistry>();

    public IServiceProvider Services => _app.Services;

    public PoolSnapshot Pool => Registry.Current.Pools[0];

    public static Task<ProxyHost> StartAsync(params Uri[] backends) => StartAsync(_ => { }, backends);

    public static Task<ProxyHost> StartAsync(Action<PoolOptions> configure, params Uri[] backends)
        => StartAsync((_, pool) => configure(pool), _ => { }, backends);

    public static Task<ProxyHost> StartAsync(Action<StickyWsOptions, PoolOptions> configure, Action<WebApplication> map, params Uri[] backends)
        => StartAsync(Lane.KeptAlive, configure, map, backends);

    /// <summary>Starts with the transport that serves a lane.</summary>
    public static Task<ProxyHost> StartAsync(Lane lane, Action<StickyWsOptions, PoolOptions> configure, Action<WebApplication> map, params Uri[] backends)
        => StartAsync(lane, configure, map, _ => { }, backends);

    /// <summary>Starts with services of the test's own.</summary>
    public static async Task<ProxyHost> StartAsync(
        Lane lane, Action<StickyWsOptions, PoolOptions> configure, Action<WebApplication> map, Action<IServiceCollection> services, params Uri[] backends)
    {
        var outcomes = new Outcomes();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => Prepare(listen, HttpProtocols.Http1, lane));
            kestrel.Listen(IPAddress.Loopback, 0, listen => Prepare(listen, HttpProtocols.Http2, lane));
        });
        builder.AddStickyWebSocketBalancing(options =>
        {
            options.Transport.RawLane = Enum.Parse<RawLaneMode>(lane.RawLaneMode());
            options.Transport.Reactor = Enum.Parse<ReactorMode>(lane.Reactor());
            options.Transport.Tls = Enum.Parse<TlsMode>(lane.Tls());
            options.Transport.UnsafePreferInlineScheduling = lane == Lane.RawInline;
            var pool = new PoolOptions();
            for (var i = 0; i < backends.Length; i++)
            {
                pool.Backends[Name(i)] = new BackendOptions { Address = backends[i].GetLeftPart(UriPartial.Authority) };
            }

            configure(options, pool);
            options.Pools["pool"] = pool;
        });
        builder.Services.AddSingleton<IOutcomeSink>(outcomes);
        services(builder.Services);
        var app = builder.Build();
        app.UseRouting();
        map(app);
        app.UseStickyWebSocketBalancing();
        app.UseEndpoints(_ => { });
        app.Run(context => context.Response.WriteAsync("the app"));
        await app.StartAsync();
        return new ProxyHost(app, outcomes);
    }

    /// <summary>Backends are named a, b, c… in the order in which they were given.</summary>
    public static string Name(int index) => ((char)('a' + index)).ToString();

    /// <summary>A handler that trusts every certificate.</summary>
    public static SocketsHttpHandler Trusting() => new()
    {
        MaxConnectionsPerServer = 1,
        UseProxy = false,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    };

    public static HttpClient Client(Uri address, bool http2 = false) => new(Trusting())
    {
        BaseAddress = address,
        DefaultRequestVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static void Prepare(ListenOptions listen, HttpProtocols protocols, Lane lane)
    {
        listen.Protocols = protocols;
        if (lane.IsTls()) listen.UseHttps(TestCertificate.Server);
    }

    /// <summary>Waits until every request has come to its end, and with it everything that is written down about it.</summary>
    public Task FinishAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        var backends = Registry.Current.Pools.SelectMany(pool => pool.Backends).ToArray();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Assert.All(backends, backend => Assert.Equal(0, backend.ActiveRequests));
    }
}
