using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.TestKit;

/// <summary>A running balancer: <see cref="TestBalancer"/> by <c>WebApplicationFactory</c>, on real Kestrel or on the in-memory server.</summary>
public sealed class Balancer : IAsyncDisposable
{
    private readonly BalancerFactory _factory;
    private MetricCollector<long>? _ended;

    private Balancer(LiveSettings settings, Action<IWebHostBuilder>? configure)
    {
        Settings = settings;
        _factory = new BalancerFactory(settings, Log, configure);
    }

    public LiveSettings Settings { get; }

    public LogRecorder Log { get; } = new();

    public IServiceProvider Services => _factory.Services;

    /// <summary>The in-memory server's factory; only after <see cref="StartInMemory"/>.</summary>
    public WebApplicationFactory<TestBalancer> Factory => _factory;

    /// <summary>Where it listens, in the order of the listeners.</summary>
    public IReadOnlyList<Uri> Addresses { get; private set; } = [];

    public Uri Address => Addresses[0];

    /// <summary>Tunnels open now, handshakes under way included.</summary>
    public int OpenTunnels => Registry.Tunnels.Count;

    /// <summary>Outlives the host, whose services are gone once it has stopped.</summary>
    internal BackendRegistry Registry { get; private set; } = null!;

    /// <summary>Why tunnels have ended so far, by the metric <c>stickyws.tunnels.ended</c>.</summary>
    public IReadOnlyList<string> EndReasons => [.. _ended!.GetMeasurementSnapshot().Select(measurement => (string)measurement.Tags["stickyws.end_reason"]!)];

    /// <summary>Starts on real Kestrel with one listener that serves the lane.</summary>
    public static Balancer Start(Lane lane, LiveSettings settings, Action<IWebHostBuilder>? configure = null)
        => Start(settings.Serving(lane), kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => Prepare(listen, lane)), configure);

    /// <summary>Starts on real Kestrel with the listeners that are given; without any, with those of URLs and configuration.</summary>
    public static Balancer Start(LiveSettings settings, Action<KestrelServerOptions>? kestrel, Action<IWebHostBuilder>? configure = null)
    {
        var balancer = new Balancer(settings, configure);
        if (kestrel is null) balancer._factory.UseKestrel();
        else balancer._factory.UseKestrel(kestrel);
        balancer._factory.StartServer();
        balancer.Addresses = [.. balancer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(
            address => new Uri(address))];
        return balancer.Observed();
    }

    /// <summary>Starts on the in-memory server.</summary>
    public static Balancer StartInMemory(LiveSettings settings, Action<IWebHostBuilder>? configure = null)
    {
        var balancer = new Balancer(settings, configure);
        _ = balancer._factory.Server;
        return balancer.Observed();
    }

    /// <summary>Connects a client that is ready to send its handshake in the lane.</summary>
    public async Task<RawClient> ConnectAsync(Lane lane, Action<System.Net.Sockets.Socket>? configure = null)
    {
        var client = await RawClient.ConnectAsync(Address, configure);
        if (lane != Lane.KeptAlive) return client;
        var head = await client.AskAsync("GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n");
        var body = await client.ReadBodyAsync(head);
        return body == TestBalancer.AppAnswer ? client : throw new InvalidOperationException("Not the application's answer: " + head + body);
    }

    /// <summary>Collects what an instrument records from now on.</summary>
    public MetricCollector<T> Collect<T>(string instrument)
        where T : struct
        => new(Services.GetRequiredService<StickyWsMetrics>().Meter.Scope, StickyWsMetrics.MeterName, instrument);

    /// <summary>Stops the host within its shutdown time.</summary>
    public Task StopAsync() => Services.GetRequiredService<IHost>().StopAsync(Wait.Token());

    /// <summary>Waits until every lease is back; says which are not.</summary>
    public async Task AssertNoLeasesAsync()
    {
        var registry = Registry;
        try
        {
            await Wait.UntilAsync(() => Held(registry) == "");
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException("Leases are still held: " + Held(registry));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _ended?.Dispose();
        await _factory.DisposeAsync();
    }

    private static void Prepare(ListenOptions listen, Lane lane)
    {
        if (lane.IsTls()) listen.UseHttps(TestCertificate.Server);
        if (lane == Lane.SniffedInsideTls || (lane.IsRawTls() && !OperatingSystem.IsLinux())) listen.UseStickyWebSocketBalancing();
    }

    private static string Held(BackendRegistry registry)
    {
        var held = registry.Current.Pools.SelectMany(pool => pool.Backends)
            .Where(backend => backend.ActiveTunnels != 0 || backend.ActiveRequests != 0 || backend.ActiveHandshakes != 0)
            .Select(backend => $"{backend}: {backend.ActiveTunnels} tunnels, {backend.ActiveHandshakes} handshakes, {backend.ActiveRequests} requests");
        return string.Join("; ", registry.Tunnels.Count == 0 ? held : held.Append($"{registry.Tunnels.Count} tunnels in all"));
    }

    private Balancer Observed()
    {
        Registry = Services.GetRequiredService<BackendRegistry>();
        _ended = Collect<long>("stickyws.tunnels.ended");
        return this;
    }

    private sealed class BalancerFactory(LiveSettings settings, LogRecorder log, Action<IWebHostBuilder>? configure) : WebApplicationFactory<TestBalancer>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseSetting("hostBuilder:reloadConfigOnChange", "false");
            builder.ConfigureAppConfiguration((_, configuration) => configuration.Add(settings));
            builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(log));
            builder.ConfigureServices(services => services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1)));
            configure?.Invoke(builder);
        }
    }
}
