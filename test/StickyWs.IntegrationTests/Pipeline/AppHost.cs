using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.IntegrationTests.Proxying;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>The balancer behind middleware and beside endpoints of an application's own. Disposing it proves that every lease was given back.</summary>
internal sealed class AppHost : IAsyncDisposable
{
    public const string Own = "the app";

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<int> _statuses;

    private AppHost(WebApplication app, Outcomes outcomes, LogRecorder log, ConcurrentQueue<int> statuses)
    {
        _app = app;
        _statuses = statuses;
        Outcomes = outcomes;
        Log = log;
        var addresses = app.Urls.Select(url => new Uri(url)).ToArray();
        (Plain, Http2, Tls) = (addresses[0], addresses[1], addresses[2]);
    }

    public static TheoryData<Way> EveryWay { get; } = new(Enum.GetValues<Way>());

    public static TheoryData<Way> ThroughPipeline { get; } = new(Enum.GetValues<Way>().Where(way => way != Way.Sniffed));

    public static TheoryData<Way> Requests { get; } = new(Way.Http1, Way.Tls, Way.Http2, Way.Http2Tls);

    public static TheoryData<Way> Handshakes { get; } = new(Way.Sniffed, Way.KeptAlive, Way.TlsHandshake, Way.Connect);

    public static TheoryData<Way> Http1Ways { get; } = new(Way.Http1, Way.Tls, Way.Sniffed, Way.KeptAlive, Way.TlsHandshake);

    public Uri Plain { get; }

    public Uri Http2 { get; }

    public Uri Tls { get; }

    public Outcomes Outcomes { get; }

    public LogRecorder Log { get; }

    /// <summary>The statuses with which requests left the pipeline, as logs have them.</summary>
    public IReadOnlyList<int> Statuses => [.. _statuses];

    /// <summary>What the balancer itself, and YARP in it, wrote down at the default levels, without what it says at start.</summary>
    public IReadOnlyList<LogLine> Lines => [.. Log.Lines.Where(line
        => (line.Category.StartsWith("StickyWs.", StringComparison.Ordinal) || line.Category.StartsWith("Yarp", StringComparison.Ordinal))
            && !line.Category.StartsWith("StickyWs.Transport", StringComparison.Ordinal))];

    /// <summary>Collects a counter of the balancer's.</summary>
    public MetricCollector<long> Collect(string name) => new(_app.Services.GetRequiredService<StickyWsMetrics>().Meter, name);

    /// <summary>Collects a histogram of the balancer's.</summary>
    public MetricCollector<double> CollectTimes(string name) => new(_app.Services.GetRequiredService<StickyWsMetrics>().Meter, name);

    /// <summary>What the balancer shows of itself.</summary>
    public IStickyWsState State => _app.Services.GetRequiredService<IStickyWsState>();

    public BackendRegistry Registry => _app.Services.GetRequiredService<BackendRegistry>();

    public static Task<AppHost> StartAsync(Action<WebApplication> use, params Uri[] backends) => StartAsync(_ => { }, use, (_, _) => { }, backends);

    public static async Task<AppHost> StartAsync(Action<IServiceCollection> add, Action<WebApplication> use,
        Action<StickyWsOptions, PoolOptions> configure, params Uri[] backends)
    {
        var (outcomes, log, statuses) = (new Outcomes(), new LogRecorder(), new ConcurrentQueue<int>());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Server));
        });
        builder.AddStickyWebSocketBalancing(options =>
        {
            options.Transport.Tls = TlsMode.SslStream; // Its handshakes in TLS are to pass the pipeline.
            var pool = new PoolOptions();
            for (var i = 0; i < backends.Length; i++)
                pool.Backends[ProxyHost.Name(i)] = new BackendOptions { Address = backends[i].GetLeftPart(UriPartial.Authority) };
            options.Pools["pool"] = pool;
            configure(options, pool);
        });
        builder.Services.AddSingleton<IOutcomeSink>(outcomes);
        add(builder.Services);
        var app = builder.Build();
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            finally
            {
                if (context.Request.Path != "/own") statuses.Enqueue(context.Response.StatusCode);
            }
        });
        app.MapGet("/own", () => Own);
        use(app);
        app.UseStickyWebSocketBalancing();
        await app.StartAsync();
        return new AppHost(app, outcomes, log, statuses);
    }

    /// <summary>Sends a request or a handshake without a body.</summary>
    /// <returns>The answer's head, as HTTP/1.1 would have it, and its body where it is a plain answer.</returns>
    public async Task<string> AskAsync(Way way, string target = "/", string headers = "", string? host = "example.test")
    {
        if (way is Way.Http2 or Way.Http2Tls or Way.Connect) return await AskHttp2Async(way, target, headers, host ?? "example.test");
        await using var client = await ConnectAsync(way);
        return await client.AskAsync(Head(way, target, headers, host)) is var head && HttpHead.Status(head) == 101
            ? head : head + await client.ReadBodyAsync(head);
    }

    /// <summary>A connection on which the head of an HTTP/1.1 way is the next thing to send.</summary>
    public async Task<RawClient> ConnectAsync(Way way)
    {
        var client = await RawClient.ConnectAsync(way is Way.Tls or Way.TlsHandshake ? new Uri($"https://localhost:{Tls.Port}") : Plain);
        if (way == Way.KeptAlive) Assert.Equal(Own, await client.ReadBodyAsync(await client.AskAsync("GET /own HTTP/1.1\r\nHost: example.test\r\n\r\n")));
        return client;
    }

    /// <summary>The head of a request or a handshake. A handshake's headers may bring a Connection of their own.</summary>
    public static string Head(Way way, string target = "/", string headers = "", string? host = "example.test")
    {
        var first = $"GET {target} HTTP/1.1\r\n{(host is null ? "" : $"Host: {host}\r\n")}";
        if (way is Way.Http1 or Way.Tls)
            return $"{first}{headers}{(headers.Contains("Connection:", StringComparison.Ordinal) ? "" : "Connection: close\r\n")}\r\n";
        var connection = headers.Contains("Connection:", StringComparison.Ordinal) ? "" : "Connection: Upgrade\r\n";
        return $"{first}Upgrade: websocket\r\n{connection}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {HttpHead.Key}\r\n{headers}\r\n";
    }

    /// <summary>Options that name headers in Connection, as a request or a handshake of HTTP/1.1 has them.</summary>
    public static string Naming(Way way, string names) => $"Connection: {(way is Way.Http1 or Way.Tls ? "close" : "Upgrade")}, {names}\r\n";

    public static HttpMessageInvoker Invoker() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    });

    public HttpRequestMessage Http2Request(Way way, string target = "/", string headers = "", string host = "example.test")
    {
        var address = way == Way.Http2 ? Http2 : new Uri($"https://localhost:{Tls.Port}");
        var uri = new Uri(address.GetLeftPart(UriPartial.Authority) + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(way == Way.Connect ? HttpMethod.Connect : HttpMethod.Get, uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        if (way == Way.Connect)
        {
            request.Headers.Protocol = "websocket";
            request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        }

        request.Headers.TryAddWithoutValidation("Host", host);
        foreach (var line in headers.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            request.Headers.TryAddWithoutValidation(line[..colon], line[(colon + 1)..].Trim());
        }

        return request;
    }

    /// <summary>Waits until every request has come to its end, and with it everything that is written down about it.</summary>
    public Task FinishAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        var backends = Registry.Current.Pools.SelectMany(pool => pool.Backends).ToArray();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Assert.All(backends, backend => Assert.Equal((0, 0), (backend.ActiveRequests, backend.ActiveTunnels)));
    }

    private async Task<string> AskHttp2Async(Way way, string target, string headers, string host)
    {
        using var invoker = Invoker();
        using var request = Http2Request(way, target, headers, host);
        using var answer = await invoker.SendAsync(request, Wait.Token());
        var lines = answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated)
            .SelectMany(header => header.Value.Select(value => $"{header.Key}: {value}\r\n"));
        var isTunnel = way == Way.Connect && answer.IsSuccessStatusCode;
        return $"HTTP/1.1 {(isTunnel ? 101 : (int)answer.StatusCode)} -\r\n{string.Concat(lines)}\r\n"
            + $"{(isTunnel ? "" : await answer.Content.ReadAsStringAsync(Wait.Token()))}";
    }
}
