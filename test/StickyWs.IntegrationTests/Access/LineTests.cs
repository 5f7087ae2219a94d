using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Draining;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Access;

/// <summary>The line that a tunnel, a handshake or a request leaves in the log.</summary>
public sealed class LineTests : BalancerTest
{
    private const string Category = "StickyWs.Access";
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Secrets = $"traceparent: 00-{TraceId}-00f067aa0ba902b7-01\r\nCookie: session=secret\r\nAuthorization: Bearer secret\r\n";

    private static readonly byte[] ClientsClose = Tunnels.Frames.OfClient(0x88, [3, 232]);
    private static readonly byte[] BackendsClose = Tunnels.Frames.OfBackend(0x88, [3, 233]);

    [Theory]
    [MemberData(nameof(EveryLaneAndBackend))]
    public async Task A_tunnel_leaves_one_line_that_tells_all_of_it(Lane lane, bool isTls)
    {
        await using var backend = RawBackend.Opening(certificate: CertificateIf(isTls));
        var balancer = Start(lane, TrustingPool(backend.Address));
        var client = await ConnectAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat/room?token=secret", Secrets))));
        var server = await backend.NextTunnelAsync();
        var (clientAt, listenerAt) = (Ends(client.Socket.LocalEndPoint), Ends(client.Socket.RemoteEndPoint));
        var (localAt, remoteAt) = (Ends(server.Socket.RemoteEndPoint), Ends(server.Socket.LocalEndPoint));

        await client.WriteAsync(ClientsClose);
        await server.ReadExactlyAsync(ClientsClose.Length);
        await server.WriteAsync(BackendsClose);
        await server.FinishAsync();
        await client.ReadExactlyAsync(BackendsClose.Length);
        await client.WaitForEndAsync();
        await client.DisposeAsync();

        var line = await LineAsync(balancer);
        Assert.Equal(("TunnelLine", LogLevel.Information), (line.Event, line.Level));
        Assert.Equal((clientAt, listenerAt, localAt, remoteAt),
            (line.Fields["Client"], line.Fields["Listener"], line.Fields["UpstreamLocal"], line.Fields["UpstreamRemote"]));
        Assert.Equal(("chat", "a", lane.Tag(), "Policy", (object?)null),
            (line.Fields["Pool"], line.Fields["Backend"], line.Fields["Lane"], line.Fields["ChosenBy"], line.Fields["Pin"]));
        Assert.Equal(lane.IsTls() ? "1.3" : null, line.Fields["TlsVersion"]);
        Assert.Equal((8L, 4L, 101), (line.Fields["BytesToBackend"], line.Fields["BytesToClient"], line.Fields["Status"]));
        Assert.Equal(("Opened", "BackendClosed", "both", 1000, 1001), (line.Fields["Outcome"], line.Fields["EndReason"], line.Fields["Farewell"],
            line.Fields["ClientCloseCode"], line.Fields["BackendCloseCode"]));
        Assert.Equal((TraceId, "GET", "example.test", "/chat/room"),
            (line.Fields["TraceId"], line.Fields["Method"], line.Fields["Host"], line.Fields["Path"]));
        Assert.StartsWith($"{clientAt} {listenerAt} - chat/a {localAt} {remoteAt} ", line.Text, StringComparison.Ordinal);
        Assert.EndsWith("\"GET example.test /chat/room\"", line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line.Text + string.Join(' ', line.Fields.Values), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_that_ends_with_the_process_has_its_line(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        await OpenTunnelAsync(balancer, lane, backend);

        await balancer.StopAsync();

        Assert.Equal("Shutdown", (await LineAsync(balancer)).Fields["EndReason"]);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_that_is_cut_has_its_line(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        await OpenTunnelAsync(balancer, lane, backend);

        await balancer.Services.GetRequiredService<IBackendControl>().CutAsync(BackendTarget.Of("chat", "a"), Wait.Token());

        Assert.Equal("Cut", (await LineAsync(balancer)).Fields["EndReason"]);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_handshake_that_a_backend_declines_has_a_line_with_its_status(Lane lane)
    {
        await using var backend = RawBackend.Answering(static _ => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(403, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat?token=secret", Secrets))));

        var line = await LineAsync(balancer);
        Assert.Equal(("HandshakeLine", 403, "Declined", "a", (object?)null),
            (line.Event, line.Fields["Status"], line.Fields["Outcome"], line.Fields["Backend"], line.Fields["EndReason"]));
        Assert.NotNull(line.Fields["UpstreamRemote"]);
        Assert.DoesNotContain("secret", line.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_handshake_that_reaches_no_backend_has_a_line_that_names_the_last(Lane lane)
    {
        var balancer = Start(lane, "http://127.0.0.1:1");
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(502, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));

        var line = await LineAsync(balancer);
        Assert.Equal(("HandshakeLine", 502, "Unreachable", "a"),
            (line.Event, line.Fields["Status"], line.Fields["Outcome"], line.Fields["Backend"]));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_leaves_has_a_line_without_a_status(Lane lane)
    {
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            backend.GiveToTest(wire);
        });
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);
        await client.WriteAsync(HttpHead.Handshake());
        await backend.NextTunnelAsync();

        client.Reset();

        var line = await LineAsync(balancer);
        Assert.Equal(("HandshakeLine", (object?)null, "ClientGone"), (line.Event, line.Fields["Status"], line.Fields["Outcome"]));
    }

    [Theory]
    [MemberData(nameof(PipelineLanes))]
    public async Task A_handshake_that_is_refused_in_the_pipeline_has_a_line(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake("/chat?token=secret", key: "short"));

        Assert.Equal(400, HttpHead.Status(answer));
        var line = await LineAsync(balancer);
        Assert.Equal(("HandshakeLine", 400, "Refused", "/chat"), (line.Event, line.Fields["Status"], line.Fields["Outcome"], line.Fields["Path"]));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_trusted_proxy_says_who_the_client_is_and_a_client_does_not(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        foreach (var isTrusted in new[] { true, false })
        {
            var settings = Pool(backend.Address);
            if (isTrusted) settings.With("TrustedProxies:0", "127.0.0.1");
            var balancer = Start(lane, settings);
            var client = await ConnectAsync(balancer, lane);
            await client.AskAsync(HttpHead.Handshake("/", "X-Forwarded-For: 203.0.113.9\r\n"));

            client.Reset();

            Assert.Equal(isTrusted ? "203.0.113.9" : null, (await LineAsync(balancer)).Fields["ForwardedClient"]);
        }
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Names_from_outside_cannot_forge_a_line(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, new LiveSettings().WithPool("ch\"at \n", backend.Address));
        var client = await ConnectAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/a\"b" + new string('x', 2000)))));

        client.Reset();

        var line = await LineAsync(balancer);
        Assert.DoesNotContain(line.Text, char.IsControl);
        Assert.Equal(2, line.Text.Count(one => one == '"'));
        Assert.Contains(@"ch\x22at\x20\x0a/a ", line.Text, StringComparison.Ordinal);
        Assert.InRange(((string)line.Fields["Path"]!).Length, 200, 259);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Without_the_option_there_is_no_line(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("AccessLog:Tunnels", "false"));
        var (client, _) = await OpenTunnelAsync(balancer, lane, backend);

        client.Reset();
        await balancer.AssertNoLeasesAsync();
        await balancer.StopAsync();

        Assert.Empty(Lines(balancer));
    }

    // As the log's own configuration does it.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_filter_of_the_category_silences_it(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Owned(Balancer.Start(lane, Pool(backend.Address),
            builder => builder.ConfigureLogging(logging => logging.AddFilter(Category, LogLevel.Warning))));
        var (client, _) = await OpenTunnelAsync(balancer, lane, backend);

        client.Reset();
        await balancer.AssertNoLeasesAsync();
        await balancer.StopAsync();

        Assert.Empty(Lines(balancer));
    }

    [Fact]
    public async Task A_plain_request_has_a_line_by_option_only()
    {
        var backends = await StartEchoesAsync(1);
        var settings = Pool(backends[0].Address);
        var balancer = Start(Lane.Raw, settings);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Cookie", "session=secret");

        (await http.GetAsync(new Uri(balancer.Address, "/plain?token=secret"), Wait.Token())).Dispose();
        settings.Change(data => data["StickyWs:AccessLog:Requests"] = "true");
        await Wait.UntilAsync(() => balancer.Registry.Current.Options.AccessLog.Requests);
        (await http.GetAsync(new Uri(balancer.Address, "/more?token=secret"), Wait.Token())).Dispose();

        var line = await LineAsync(balancer);
        Assert.Equal(("RequestLine", "http", "a", "Policy", "GET", "/more"),
            (line.Event, line.Fields["Lane"], line.Fields["Backend"], line.Fields["ChosenBy"], line.Fields["Method"], line.Fields["Path"]));
        Assert.IsType<int>(line.Fields["Status"]);
        Assert.DoesNotContain("secret", line.Text + string.Join(' ', line.Fields.Values), StringComparison.Ordinal);
    }

    // A reactor serves others meanwhile, and what is told later is what happened.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_logger_that_blocks_and_throws_harms_no_tunnel(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        using var logger = new Blocking();
        var balancer = Owned(Balancer.Start(lane, Pool(backend.Address), builder => builder.ConfigureLogging(logging => logging.AddProvider(logger))));
        var (first, _) = await OpenTunnelAsync(balancer, lane, backend);
        var (second, server) = await OpenTunnelAsync(balancer, lane, backend);

        first.Reset();
        await Wait.UntilAsync(() => logger.IsBlocked && balancer.OpenTunnels == 1);
        await second.WriteAsync("still here");
        Assert.Equal("still here", await server.ReadTextAsync(10));
        second.Reset();
        await balancer.AssertNoLeasesAsync();
        logger.Open();

        await Wait.UntilAsync(() => logger.Lines == 2);
    }

    private static string Ends(EndPoint? end)
    {
        var known = (IPEndPoint)end!;
        return new IPEndPoint(known.Address.IsIPv4MappedToIPv6 ? known.Address.MapToIPv4() : known.Address, known.Port).ToString();
    }

    private static IEnumerable<LogLine> Lines(Balancer balancer) => balancer.Log.Lines.Where(line => line.Category == Category);

    private static async Task<LogLine> LineAsync(Balancer balancer)
    {
        await Wait.UntilAsync(() => Lines(balancer).Any());
        return Assert.Single(Lines(balancer));
    }

    private sealed class Blocking : ILoggerProvider, ILogger
    {
        private readonly ManualResetEventSlim _gate = new();
        private int _lines;

        public bool IsBlocked { get; private set; }

        public int Lines => Volatile.Read(ref _lines);

        public void Open() => _gate.Set();

        public ILogger CreateLogger(string categoryName) => categoryName == Category ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            IsBlocked = true;
            _gate.Wait(Wait.Token());
            if (eventId.Name == "TunnelLine") Interlocked.Increment(ref _lines); // Its failure is told to it, too.
            throw new InvalidTimeZoneException();
        }

        public void Dispose() => _gate.Set();
    }
}
