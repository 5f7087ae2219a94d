using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Handshake;

/// <summary>Upgrades to other protocols than WebSocket: tunnelled where the pool lists them, refused where not, never stripped.</summary>
public sealed class UpgradeTests : BalancerTest
{
    public static MatrixTheoryData<Lane, string> EveryMethod { get; } = new(Enum.GetValues<Lane>(), ["GET", "POST"]);

    public static MatrixTheoryData<Lane, string> Unlisted { get; } = new(
        [Lane.Raw, Lane.Portable, Lane.KeptAlive, Lane.InsideTls],
        [
            Ask("GET", "foo"),
            Ask("GET", "tcp/2"),
            Ask("GET", "foo, h2c"),
            Ask("GET", "websockets"),
            Ask("POST", "foo", "Content-Length: 0\r\n"),
            Ask("POST", "foo", "Content-Length: 3\r\n") + "abc",
            Ask("PUT", "foo", "Content-Length: 3\r\n") + "abc",
            "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: foo\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: foo\r\n\r\n",
        ]);

    public static MatrixTheoryData<Lane, string> Plain { get; } = new(
        [Lane.Raw, Lane.RawEpoll, Lane.RawInline, Lane.Portable, Lane.KeptAlive, Lane.InsideTls, Lane.SniffedInsideTls],
        [
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n", // curl --http2, Java's HttpClient
            "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n", // Apache HttpClient 5.4
            "Connection: upgrade\r\nUpgrade: H2C, HTTP/2.0\r\n",
            "Connection: Upgrade\r\nUpgrade: h2,h2c\r\n",
            "Upgrade: h2c\r\n",
            "Connection: Upgrade\r\nUpgrade:\r\n",
            "Upgrade-Insecure-Requests: 1\r\n",
        ]);

    public static MatrixTheoryData<Lane, string> Unproven { get; } = new(
        [Lane.Raw, Lane.Portable, Lane.KeptAlive, Lane.InsideTls],
        [
            "HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: tcp\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 X\r\nUpgrade: tcp\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.0 101 X\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n",
        ]);

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public async Task A_listed_upgrade_is_tunnelled(Lane lane, string method)
    {
        await using var backend = Switching("tcp", "Content-Type: application/vnd.docker.raw-stream\r\nContent-Length: 0\r\n");
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        var length = method == "POST" ? "Content-Length: 0\r\n" : "";
        var answer = await client.AskAsync($"{method} /v1/attach%2F?stream=1 HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade, X-Hop\r\n"
            + $"Upgrade: TCP\r\nX-Hop: 1\r\nX-Kept: 2\r\nStickyWs-Pin: p\r\n{length}\r\n");

        var head = Assert.Single(backend.Heads);
        Assert.Equal($"{method} /v1/attach%2F?stream=1 HTTP/1.1", HttpHead.FirstLine(head));
        Assert.Equal(["TCP"], HttpHead.Values(head, "Upgrade"));
        Assert.Equal(["Upgrade"], HttpHead.Values(head, "Connection"));
        Assert.Equal(["127.0.0.1"], HttpHead.Values(head, "X-Forwarded-For"));
        Assert.Equal([lane.IsTls() ? "https" : "http"], HttpHead.Values(head, "X-Forwarded-Proto"));
        Assert.Equal("2", HttpHead.Value(head, "X-Kept"));
        Assert.Equal(method == "POST" ? "0" : null, HttpHead.Value(head, "Content-Length"));
        Assert.All(["X-Hop", "StickyWs-Pin", "Sec-WebSocket-Key", "Sec-WebSocket-Version"], name => Assert.Null(HttpHead.Value(head, name)));
        Assert.Equal(101, HttpHead.Status(answer));
        Assert.Equal(["tcp"], HttpHead.Values(answer, "Upgrade"));
        Assert.Equal(["Upgrade"], HttpHead.Values(answer, "Connection"));
        Assert.Equal("application/vnd.docker.raw-stream", HttpHead.Value(answer, "Content-Type"));
        Assert.All(["Content-Length", "Sec-WebSocket-Accept"], name => Assert.Null(HttpHead.Value(answer, name)));
        Assert.Equal("first", await client.ReadTextAsync(5));
        await AssertTunnelAsync(client, await backend.NextTunnelAsync());
    }

    [Theory]
    [MemberData(nameof(PlainLanes))]
    [InlineData(Lane.RawTls)]
    public async Task A_client_that_has_finished_still_hears_the_backend(Lane lane)
    {
        await using var backend = Switching("tcp");
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(Ask("POST", "tcp"))));
        var server = await backend.NextTunnelAsync();

        await client.WriteAsync("the input");
        await client.FinishAsync();

        Assert.Equal("the input", await server.ReadTextToEndAsync());
        await server.WriteAsync("the output");
        await server.FinishAsync();
        Assert.Equal("firstthe output", await client.ReadTextToEndAsync());
    }

    [Theory]
    [InlineData("foo, SPDY/3.1, h2c", "SPDY/3.1", "SPDY/3.1")]
    [InlineData("tcp,spdy/3.1", "tcp, spdy/3.1", "tcp")]
    [InlineData("tcp,spdy/3.1", "tcp, spdy/3.1", "SPDY/3.1")]
    [InlineData("websocket, tcp", "tcp", "tcp")]
    public async Task The_backend_is_asked_for_what_is_listed_and_chooses(string asked, string passed, string chosen)
    {
        await using var backend = Switching(chosen);
        var balancer = Start(Lane.Raw, Listing(backend.Address).With("Pools:chat:Upgrades:1", "SPDY/3.1"));
        var client = await ConnectAsync(balancer, Lane.Raw);

        var answer = await client.AskAsync(Ask("GET", asked));

        Assert.Equal([passed], HttpHead.Values(Assert.Single(backend.Heads), "Upgrade"));
        Assert.Equal([chosen], HttpHead.Values(answer, "Upgrade"));
    }

    [Theory]
    [MemberData(nameof(Unlisted))]
    public async Task An_upgrade_that_is_not_listed_is_a_501_that_names_the_option_and_no_backend_hears_of_it(Lane lane, string request)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(request);

        Assert.Equal(501, HttpHead.Status(answer));
        Assert.Contains("see its option Upgrades", await client.ReadBodyAsync(answer), StringComparison.Ordinal);
        Assert.Equal(["close"], HttpHead.Values(answer, "Connection"));
        Assert.Equal(0, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(Plain))]
    public async Task What_ordinary_clients_offer_is_served_as_plain_HTTP(Lane lane, string headers)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync($"GET / HTTP/1.1\r\nHost: example.test\r\n{headers}\r\n");

        Assert.Equal(200, HttpHead.Status(answer));
        Assert.Equal("ok", await client.ReadBodyAsync(answer));
        var head = Assert.Single(backend.Heads);
        Assert.All(["Upgrade", "HTTP2-Settings"], name => Assert.Null(HttpHead.Value(head, name)));
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}", 501,
        "A request with a body cannot be upgraded here.")]
    [InlineData("POST / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501,
        "A request with a body cannot be upgraded here.")]
    [InlineData("PUT / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n", 501,
        "Only GET and POST can be upgraded here.")]
    [InlineData("GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: tcp\r\n\r\n", 400, "The request for an upgrade is not valid.")]
    [InlineData("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade, close\r\nUpgrade: tcp\r\n\r\n", 400, "The request for an upgrade is not valid.")]
    [InlineData("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nExpect: 100-continue\r\n\r\n", 400,
        "The request for an upgrade is not valid.")]
    [InlineData("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade, Host\r\nUpgrade: tcp\r\n\r\n", 400, "The request for an upgrade is not valid.")]
    [InlineData("GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\n\r\n", 400, "The WebSocket handshake is not valid.")]
    [InlineData("POST / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n{}", 400,
        "The WebSocket handshake is not valid.")]
    public async Task What_cannot_be_upgraded_is_told_why_and_goes_to_no_backend(string request, int status, string why)
    {
        foreach (var lane in Enum.GetValues<Lane>())
        {
            await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            var balancer = Start(lane, Listing(backend.Address));
            var client = await ConnectAsync(balancer, lane);

            var answer = await client.AskAsync(request);

            // An HTTP server may have answered the expectation first.
            if (HttpHead.Status(answer) == 100) answer = await client.ReadHeadAsync();
            Assert.Equal(status, HttpHead.Status(answer));
            Assert.EndsWith($": {why}\n", await client.ReadBodyAsync(answer), StringComparison.Ordinal);
            Assert.Equal(0, backend.Connections);
        }
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task An_upgrade_in_HTTP_1_0_is_a_plain_request_whatever_it_asks_for(Lane lane)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(200, HttpHead.Status(await client.AskAsync(Ask("GET", "tcp, foo").Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal))));
        Assert.Null(HttpHead.Value(Assert.Single(backend.Heads), "Upgrade"));
    }

    [Theory]
    [MemberData(nameof(Unproven))]
    public async Task A_101_that_does_not_name_what_was_asked_for_is_a_502(Lane lane, string wrong)
    {
        await using var backend = RawBackend.Answering(_ => wrong);
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(Ask("GET", "tcp"));

        Assert.Equal(502, HttpHead.Status(answer));
        Assert.Equal("502 Bad Gateway: The backend's answer is not valid.\n", await client.ReadBodyAsync(answer));
    }

    [Theory]
    [MemberData(nameof(EveryMethod))]
    public async Task A_backend_that_declines_is_heard(Lane lane, string method)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 404 No Such Container\r\nContent-Length: 4\r\n\r\nnone");
        var balancer = Start(lane, Listing(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(Ask(method, "tcp"));

        Assert.Equal("HTTP/1.1 404 No Such Container", HttpHead.FirstLine(answer));
        Assert.Equal("none", await client.ReadBodyAsync(answer));
    }

    // A POST might have been acted on.
    [Theory]
    [InlineData("GET", 101, 1)]
    [InlineData("POST", 502, 0)]
    public async Task Only_a_GET_that_nobody_answered_is_sent_to_another_backend(string method, int status, int repeated)
    {
        await using var mute = RawBackend.Start(async (self, wire) =>
        {
            await self.TakeHeadAsync(wire);
            await wire.FinishAsync();
        });
        await using var backend = Switching("tcp");
        var balancer = Start(Lane.Raw, Listing(mute.Address, backend.Address));
        var client = await ConnectAsync(balancer, Lane.Raw);

        Assert.Equal(status, HttpHead.Status(await client.AskAsync(Ask(method, "tcp"))));
        Assert.Equal(1, mute.Connections);
        Assert.Equal(repeated, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task WebSockets_of_such_a_pool_are_what_they_were(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Listing(backend.Address));

        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await AssertTunnelAsync(client, server);
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task What_belongs_to_no_pool_stays_with_the_application(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Listing(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat"));
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(404, HttpHead.Status(await client.AskAsync(Ask("GET", "foo"))));
        Assert.Equal(0, backend.Connections);
    }

    private static string Ask(string method, string upgrade, string headers = "")
        => $"{method} / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n{headers}\r\n";

    private static LiveSettings Listing(params string[] addresses) => Pool(addresses).With("Pools:chat:Upgrades:0", "tcp");

    private static RawBackend Switching(string protocol, string headers = "") => RawBackend.Start(async (self, wire) =>
    {
        await self.TakeHeadAsync(wire);
        await wire.WriteAsync($"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n{headers}\r\nfirst");
        self.GiveToTest(wire);
    });

    private static async Task AssertTunnelAsync(RawClient client, Wire server)
    {
        await client.WriteAsync("ping");
        Assert.Equal("ping", await server.ReadTextAsync(4));
        await server.WriteAsync("pong");
        Assert.Equal("pong", await client.ReadTextAsync(4));
    }
}
