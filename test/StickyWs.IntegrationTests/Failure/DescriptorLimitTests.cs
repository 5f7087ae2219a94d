using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Failure;

/// <summary>
/// A process that may have few descriptors (<c>ulimit -n</c>) and more clients than that: it lives, those that it has are served, the others wait and are
/// served when these leave. On Linux only.
/// </summary>
public sealed class DescriptorLimitTests : BalancerTest
{
    private const int Limit = 512;
    private const int Clients = 200;
    private const int Burst = 75;

    /// <summary>The options that make a lane.</summary>
    public static TheoryData<string, string> Transports { get; } = new()
    {
        { "Transport:RawLane=On", "Transport:Reactor=Auto" },
        { "Transport:RawLane=On", "Transport:Reactor=Epoll" },
        { "Transport:RawLane=Off", "Transport:Reactor=Auto" },
    };

    [Theory]
    [MemberData(nameof(Transports))]
    public Task Tunnels_beyond_the_limit_wait_in_the_backlog_and_those_that_stand_go_on(string lane, string reactor)
        => ServeAllAsync(lane, reactor, isTls: false, async client =>
        {
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }, EchoAsync);

    [Theory]
    [MemberData(nameof(Transports))]
    public Task Tunnels_inside_TLS_beyond_the_limit_wait_in_the_backlog_and_those_that_stand_go_on(string lane, string reactor)
        => ServeAllAsync(lane, reactor, isTls: true, async client =>
        {
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        }, EchoAsync);

    [Theory]
    [MemberData(nameof(Transports))]
    public Task Clients_of_plain_HTTP_beyond_the_limit_wait_in_the_backlog_and_those_that_are_connected_are_served(string lane, string reactor)
        => ServeAllAsync(lane, reactor, isTls: false, RequestAsync, RequestAsync);

    [Theory]
    [MemberData(nameof(Transports))]
    public Task Clients_of_https_beyond_the_limit_wait_in_the_backlog_and_those_that_are_connected_are_served(string lane, string reactor)
        => ServeAllAsync(lane, reactor, isTls: true, RequestAsync, RequestAsync);

    // What a burst of requests has left behind.
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Kept_connections_that_serve_nobody_make_room_for_clients_that_wait(string lane, string reactor)
    {
        SkipWhereThereIsNoLimit();
        var gate = new TaskCompletionSource();
        var arrived = 0;
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            if (Interlocked.Increment(ref arrived) == Burst) gate.SetResult();
            await gate.Task;
            await AnswerAsync(self, wire);
        });
        using var process = BalancerProcess.StartWithin(Limit, Limit,
            [.. Settings(backend, lane, reactor), "--urls", "http://127.0.0.1:0", "--StickyWs:Pools:chat:Connections:IdleTimeout=1.00:00:00"]);
        var address = await process.ListensAsync();
        foreach (var client in await Task.WhenAll(Enumerable.Range(0, Burst).Select(_ => ConnectAsync(address, RequestAsync)))) await client.DisposeAsync();
        await using var listener = await ConnectAsync(address,
            async client => Assert.Equal(200, HttpHead.Status(await client.AskAsync("GET /events HTTP/1.1\r\nHost: example.test\r\n\r\n"))));

        var tunnels = new List<RawClient>();
        for (var i = 0; i < Burst; i++)
        {
            tunnels.Add(await ConnectAsync(address, async client => Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())))));
        }

        foreach (var tunnel in tunnels)
        {
            await EchoAsync(tunnel);
            await tunnel.DisposeAsync();
        }
    }

    // One connection asks for more backends than there are descriptors.
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Streams_of_HTTP_2_beyond_the_limit_are_answered_503_and_no_backend_is_blamed(string lane, string reactor)
    {
        SkipWhereThereIsNoLimit();
        var gate = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            while (true)
            {
                await self.TakeHeadAsync(wire);
                await gate.Task;
                await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        using var process = BalancerProcess.StartWithin(Limit, Limit,
            [.. Settings(backend, lane, reactor), "--Kestrel:Endpoints:h2:Url=http://127.0.0.1:0", "--Kestrel:Endpoints:h2:Protocols=Http2"]);
        var address = await process.ListensAsync();
        using var client = new HttpClient(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
        {
            BaseAddress = address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Wait.Bound,
        };

        var requests = Enumerable.Range(0, 2 * Clients)
            .Select(_ => client.GetAsync(new Uri("/", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead)).ToArray();
        await Wait.UntilAsync(() => requests.Any(request => request.IsCompleted));
        Assert.InRange(process.Descriptors, 1, Limit - 16);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await await Task.WhenAny(requests)).StatusCode);
        gate.SetResult();
        var answers = await Task.WhenAll(requests);

        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, answer.StatusCode.ToString()));
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        foreach (var answer in answers) answer.Dispose();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/", UriKind.Relative))).StatusCode);
        Assert.DoesNotContain("is now Down", process.Output, StringComparison.Ordinal);
        AssertOneLine(process, Stopwatch.StartNew());
    }

    // The runtime raises the one to the other when it starts.
    [Fact]
    public async Task The_start_says_once_that_the_limit_has_no_room_for_the_tunnels_and_what_to_do()
    {
        SkipWhereThereIsNoLimit();
        using var process = BalancerProcess.StartWithin(400, Limit, "--urls", "http://127.0.0.1:0",
            "--StickyWs:Pools:chat:Backends:a:Address=http://127.0.0.1:1", "--StickyWs:MaxTunnels=5000");
        await process.ListensAsync();

        await Wait.UntilAsync(() => Count(process, "StickyWs:MaxTunnels is 5000") == 1);
        Assert.Contains($"but {process.Limit} descriptors", process.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Limit, null, 1)]
    [InlineData(Limit, "20", 0)]
    [InlineData(15000, null, 0)]
    [InlineData(15000, "9000", 1)]
    public async Task The_start_minds_the_tunnels_that_are_allowed(int limit, string? mostTunnels, int expected)
    {
        SkipWhereThereIsNoLimit();
        string[] most = mostTunnels is null ? [] : ["--StickyWs:MaxTunnels=" + mostTunnels];
        using var process = BalancerProcess.StartWithin(limit, limit,
            ["--urls", "http://127.0.0.1:0", "--StickyWs:Pools:chat:Backends:a:Address=http://127.0.0.1:1", .. most]);
        await process.ListensAsync();

        await Wait.UntilAsync(() => process.Output.Contains("Application started", StringComparison.Ordinal));

        Assert.Equal(expected, Count(process, "StickyWs:MaxTunnels is "));
    }

    [Fact]
    public async Task A_reload_that_allows_more_tunnels_than_there_is_room_for_says_so()
    {
        SkipWhereThereIsNoLimit();
        var balancer = Start(Lane.Portable, Pool("http://127.0.0.1:1").With("MaxTunnels", "10"));
        Assert.DoesNotContain(balancer.Log.Lines, line => line.Event == "TunnelsDoNotFit");

        balancer.Settings.Change(settings => settings["StickyWs:MaxTunnels"] = "100000000");

        await Wait.UntilAsync(() => balancer.Log.Lines.Any(line => line.Event == "TunnelsDoNotFit"));
    }

    private static async Task ServeAllAsync(string lane, string reactor, bool isTls, Func<RawClient, Task> open, Func<RawClient, Task> goOn)
    {
        SkipWhereThereIsNoLimit();
        await using var backend = RawBackend.Start(AnswerAsync);
        var time = Stopwatch.StartNew();
        using var certificate = new CertificateFiles();
        using var process = BalancerProcess.StartWithin(Limit, Limit,
            [.. Settings(backend, lane, reactor), .. isTls ? certificate.Endpoint : ["--urls", "http://127.0.0.1:0"]]);
        var address = await process.ListensAsync();

        var clients = Enumerable.Range(0, Clients).Select(_ => ConnectAsync(address, open)).ToList();
        await Wait.UntilAsync(() => Count(process, "Short of descriptors") > 0);
        Assert.False(process.HasExited);
        Assert.True(clients.Count(client => client.IsCompleted) < Clients);

        // Those that stand make room for those that wait, one after the other.
        while (clients.Count > 0)
        {
            await Task.WhenAny(clients).WaitAsync(Wait.Bound);
            foreach (var standing in clients.Where(client => client.IsCompleted).ToArray())
            {
                clients.Remove(standing);
                Assert.InRange(process.Descriptors, 1, Limit - 16);
                var client = await standing;
                await goOn(client);
                await client.DisposeAsync();
            }
        }

        await Wait.UntilAsync(() => Count(process, "Descriptors are available again") > 0);
        Assert.False(process.HasExited);
        AssertOneLine(process, time);
    }

    // A minute may pass on a busy machine.
    private static void AssertOneLine(BalancerProcess process, Stopwatch time)
    {
        Assert.InRange(Count(process, "Short of descriptors"), 1, 1 + (int)time.Elapsed.TotalMinutes);
        Assert.DoesNotContain("Cannot accept connections", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be dialled", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", process.Output, StringComparison.Ordinal);
    }

    private static async Task<RawClient> ConnectAsync(Uri address, Func<RawClient, Task> open)
    {
        var client = await RawClient.ConnectAsync(address);
        await open(client);
        return client;
    }

    private static async Task RequestAsync(RawClient client)
    {
        var head = await client.AskAsync("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        Assert.Equal(200, HttpHead.Status(head));
        Assert.Equal("ok", await client.ReadBodyAsync(head));
    }

    private static async Task EchoAsync(RawClient client)
    {
        await client.WriteAsync("echo");
        Assert.Equal("echo", await client.ReadTextAsync(4));
    }

    private static async Task AnswerAsync(RawBackend backend, Wire wire)
    {
        while (true)
        {
            var head = await backend.TakeHeadAsync(wire);
            if (head.StartsWith("GET /events ", StringComparison.Ordinal))
            {
                await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n");
                continue; // And nothing more for now.
            }

            if (HttpHead.Value(head, "Upgrade") is null)
            {
                await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                continue;
            }

            await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
            var buffer = new byte[16];
            while (await wire.ReadAsync(buffer) is var count and > 0) await wire.WriteAsync(buffer.AsMemory(0, count));
            await wire.FinishAsync();
            return;
        }
    }

    private static string[] Settings(RawBackend backend, string lane, string reactor)
        => ["--StickyWs:Pools:chat:Backends:a:Address=" + backend.Address, "--StickyWs:" + lane, "--StickyWs:" + reactor,
            "--Logging:LogLevel:Microsoft.AspNetCore=Warning"];

    private static int Count(BalancerProcess process, string words) => process.Output.Split(words).Length - 1;

    private static void SkipWhereThereIsNoLimit() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has the limit.");

    /// <summary>The test's certificate as a server reads it from files.</summary>
    private sealed class CertificateFiles : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("stickyws").FullName;

        public CertificateFiles()
        {
            File.WriteAllText(Certificate, TestCertificate.Server.ExportCertificatePem());
            using var key = TestCertificate.Server.GetECDsaPrivateKey();
            File.WriteAllText(Key, key!.ExportPkcs8PrivateKeyPem());
        }

        public string[] Endpoint
            => ["--Kestrel:Endpoints:tls:Url=https://127.0.0.1:0", "--Kestrel:Certificates:Default:Path=" + Certificate,
            "--Kestrel:Certificates:Default:KeyPath=" + Key];

        private string Certificate => Path.Combine(_folder, "certificate.pem");

        private string Key => Path.Combine(_folder, "key.pem");

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
