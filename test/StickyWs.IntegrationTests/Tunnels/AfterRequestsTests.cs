using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Draining;
using StickyWs.IntegrationTests.Access;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>
/// Handshakes of clients of the direct lane, after requests on the same connection: what becomes of them is what becomes of a handshake that comes first,
/// in the raw lane. What is not for a pool goes to Kestrel with every byte.
/// </summary>
public sealed class AfterRequestsTests : BalancerTest
{
    private const string Get = "GET /chat HTTP/1.1\r\nHost: example.test\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly byte[] Early = [.. Frames.OfClient(0x81, "early"u8.ToArray()), .. Frames.OfClient(0x02, new byte[5000])];
    private static readonly byte[] ClientsClose = Frames.OfClient(0x88, [3, 232]);
    private static readonly byte[] BackendsClose = Frames.OfBackend(0x88, [3, 233]);

    private static readonly Lane[] All = [Lane.Raw, Lane.RawEpoll, Lane.RawInline, Lane.RawTls, Lane.RawTlsEpoll, Lane.RawTlsKept];

    public static TheoryData<Lane> DirectLanes { get; } = new(All);

    public static TheoryData<Lane, int> DirectLanesAndRequests { get; } =
        [.. from lane in All from requests in new[] { 1, 100 } select new TheoryDataRow<Lane, int>(lane, requests)];

    [Theory]
    [MemberData(nameof(DirectLanesAndRequests))]
    public async Task A_tunnel_is_in_the_raw_lane_and_has_its_line(Lane lane, int requests)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address));
        using var handshakes = balancer.Collect<double>("stickyws.handshake.duration");
        var client = await ConnectAsync(balancer, lane);
        for (var i = 0; i < requests; i++) await AskAsync(client);
        var port = ((IPEndPoint)client.Socket.LocalEndPoint!).Port;

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/chat/room"))));
        var server = await backend.NextTunnelAsync();
        await Frames.AssertPassAsync(client, server);
        await CloseAsync(client, server);

        var line = await AccessLines.OnlyAsync(balancer);
        Assert.Equal(("TunnelLine", "chat", "a", "raw", 101), (line.Event, line.Fields["Pool"], line.Fields["Backend"], line.Fields["Lane"],
            line.Fields["Status"]));
        Assert.Equal(lane.IsTls() ? "1.3" : null, line.Fields["TlsVersion"]);
        Assert.Equal($"127.0.0.1:{port}", line.Fields["Client"]);
        var measured = Assert.Single(handshakes.GetMeasurementSnapshot());
        Assert.Equal(("raw", "Opened"), (measured.Tags["stickyws.lane"], measured.Tags["stickyws.handshake.outcome"]));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_handshake_and_frames_behind_a_request_whose_answer_is_slow_come_in_order(Lane lane)
    {
        var mayAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var backend = Owned(Backend(mayAnswer.Task));
        var balancer = Start(lane, Direct(backend.Address));
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync((byte[])[.. Bytes(Get + Get + HttpHead.Handshake()), .. Early]);
        await Wait.UntilAsync(() => backend.Heads.Count == 1);
        mayAnswer.SetResult();

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(200, HttpHead.Status(await client.ReadHeadAsync()));
            Assert.Equal("ok", await client.ReadTextAsync(2));
        }

        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        var server = await backend.NextTunnelAsync();
        Assert.Equal(Early, await server.ReadExactlyAsync(Early.Length));
        await Frames.AssertPassAsync(client, server);
        await CloseAsync(client, server);
        Assert.Equal("raw", (await AccessLines.OnlyAsync(balancer)).Fields["Lane"]);
    }

    // More than is read at once, so that part is still in the kernel when the socket changes hands.
    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task However_much_comes_behind_the_head_nothing_is_lost(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address));
        for (var i = 0; i < 5; i++)
        {
            var client = await ConnectAsync(balancer, lane);
            await AskAsync(client);
            var payload = new byte[1_500_000];
            new Random(i).NextBytes(payload);
            var frame = Frames.OfClient(0x82, payload);

            var writing = client.WriteAsync((byte[])[.. Bytes(HttpHead.Handshake()), .. frame]);
            Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
            var server = await backend.NextTunnelAsync();
            Assert.Equal(frame, await server.ReadExactlyAsync(frame.Length));
            await writing;
            await Frames.AssertPassAsync(client, server);
            await CloseAsync(client, server);
        }
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_head_in_single_bytes_is_the_same(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address));
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);

        foreach (var one in Bytes(HttpHead.Handshake())) await client.WriteAsync((byte[])[one]);

        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        var server = await backend.NextTunnelAsync();
        await Frames.AssertPassAsync(client, server);
        await CloseAsync(client, server);
        Assert.Equal("raw", (await AccessLines.OnlyAsync(balancer)).Fields["Lane"]);
    }

    // Heads that no plain request may have, and a handshake may.
    [Theory]
    [InlineData("Connection: keep-alive, Cookie\r\nCookie: a=b\r\n")]
    [InlineData("Authorization: Negotiate YII=\r\n")]
    [InlineData("Content-Type: application/grpc\r\n")]
    public async Task What_a_first_handshake_may_have_a_later_one_may(string headers)
    {
        var backend = Owned(Backend());
        var balancer = Start(Lane.Raw, Direct(backend.Address));
        foreach (var isLater in (bool[])[false, true])
        {
            var client = await ConnectAsync(balancer, Lane.Raw);
            if (isLater) await AskAsync(client);
            Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake("/", headers))));
            await CloseAsync(client, await backend.NextTunnelAsync());
        }

        await Wait.UntilAsync(() => AccessLines.Of(balancer).Count() == 2);
        Assert.All(AccessLines.Of(balancer), line => Assert.Equal("raw", line.Fields["Lane"]));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task What_a_backend_answers_instead_is_passed_on_as_to_a_first_handshake(Lane lane)
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            while (true)
            {
                var isHandshake = HttpHead.Value(await backend.TakeHeadAsync(wire), "Upgrade") is not null;
                await wire.WriteAsync(isHandshake ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: so\r\n\r\nno" : Ok);
            }
        }));
        var balancer = Start(lane, Direct(backend.Address));
        var answers = new List<string>();
        foreach (var isLater in (bool[])[false, true])
        {
            var client = await ConnectAsync(balancer, lane);
            if (isLater) await AskAsync(client);
            await client.WriteAsync(HttpHead.Handshake() + Get);
            answers.Add(await client.ReadTextToEndAsync());
        }

        Assert.StartsWith("HTTP/1.1 403 Forbidden\r\n", answers[0], StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nno", answers[0], StringComparison.Ordinal);
        Assert.Equal(answers[0], answers[1]);
        await Wait.UntilAsync(() => AccessLines.Of(balancer).Count() == 2);
        Assert.All(
            AccessLines.Of(balancer), line => Assert.Equal(("HandshakeLine", "Declined", "raw"), (line.Event, line.Fields["Outcome"], line.Fields["Lane"])));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task What_the_balancer_refuses_it_refuses_as_a_first_handshake(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address).WithPool("dead", "http://127.0.0.1:1").With("Pools:dead:Match:PathPrefixes:0", "/dead"));
        var answers = new List<string>();
        foreach (var isLater in (bool[])[false, true])
        {
            var client = await ConnectAsync(balancer, lane);
            if (isLater) await AskAsync(client);
            await client.WriteAsync((byte[])[.. Bytes(HttpHead.Handshake("/dead")), .. Early]);
            answers.Add(await client.ReadTextToEndAsync());
        }

        Assert.StartsWith("HTTP/1.1 502 ", answers[0], StringComparison.Ordinal);
        Assert.Equal(answers[0], answers[1]);
        await Wait.UntilAsync(() => AccessLines.Of(balancer).Count() == 2);
        Assert.All(AccessLines.Of(balancer), line => Assert.Equal(("HandshakeLine", 502, "raw"), (line.Event, line.Fields["Status"], line.Fields["Lane"])));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task Without_a_pool_the_app_answers_and_the_connection_goes_on(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address).With("Pools:chat:Match:PathPrefixes:0", "/chat"));
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);

        await client.WriteAsync(HttpHead.Handshake("/app") + "GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n");

        for (var i = 0; i < 2; i++)
        {
            var head = await client.ReadHeadAsync();
            Assert.Equal(200, HttpHead.Status(head));
            Assert.Equal(TestBalancer.AppAnswer, await client.ReadBodyAsync(head));
        }

        await AskAsync(client);
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_pool_that_wants_its_handshakes_in_the_pipeline_gets_them_there(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address).With("Pools:chat:WebSockets", "Pipeline"));
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);

        await client.WriteAsync((byte[])[.. Bytes(HttpHead.Handshake()), .. Early]);

        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        var server = await backend.NextTunnelAsync();
        Assert.Equal(Early, await server.ReadExactlyAsync(Early.Length));
        await Frames.AssertPassAsync(client, server);
        await CloseAsync(client, server);
        Assert.Equal("portable", (await AccessLines.OnlyAsync(balancer)).Fields["Lane"]);
    }

    // TLS to that pool's backends needs streams on both ends.
    [Fact]
    public async Task A_pool_whose_backends_need_streams_gets_them_with_every_byte()
    {
        var backend = Owned(Backend());
        var secure = Owned(RawBackend.Opening(certificate: TestCertificate.Server));
        var balancer = Start(Lane.RawInline, Direct(backend.Address).WithPool("secure", secure.Address).With("Pools:secure:Match:PathPrefixes:0", "/secure")
            .With("Pools:secure:Tls:DangerousAcceptAnyCertificate", "true"));
        var client = await ConnectAsync(balancer, Lane.RawInline);
        await AskAsync(client);

        await client.WriteAsync((byte[])[.. Bytes(HttpHead.Handshake("/secure")), .. Early]);

        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        var server = await secure.NextTunnelAsync();
        Assert.Equal(Early, await server.ReadExactlyAsync(Early.Length));
        await Frames.AssertPassAsync(client, server);
        await CloseAsync(client, server);
        Assert.Equal("portable", (await AccessLines.OnlyAsync(balancer)).Fields["Lane"]);
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_client_that_finishes_right_behind_its_handshake_has_left_as_a_first_one_has(Lane lane)
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            while (HttpHead.Value(await backend.TakeHeadAsync(wire), "Upgrade") is null) await wire.WriteAsync(Ok);
            await wire.WaitForEndAsync(); // Without an answer.
            backend.GiveToTest(wire);
        }));
        var balancer = Start(lane, Direct(backend.Address).With("Pools:chat:Timeouts:Handshake", "00:01:00"));
        foreach (var isLater in (bool[])[false, true])
        {
            var client = await ConnectAsync(balancer, lane);
            if (isLater) await AskAsync(client);
            await client.WriteAsync(HttpHead.Handshake());
            await client.FinishAsync();

            await client.WaitForEndAsync();
        }

        await Wait.UntilAsync(() => AccessLines.Of(balancer).Count() == 2);
        Assert.All(
            AccessLines.Of(balancer), line => Assert.Equal(("HandshakeLine", "ClientGone", "raw"), (line.Event, line.Fields["Outcome"], line.Fields["Lane"])));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_client_that_breaks_off_during_its_handshake_releases_the_backend(Lane lane)
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            while (HttpHead.Value(await backend.TakeHeadAsync(wire), "Upgrade") is null) await wire.WriteAsync(Ok);
            backend.GiveToTest(wire);
        }));
        var balancer = Start(lane, Direct(backend.Address).With("Pools:chat:Timeouts:Handshake", "00:01:00"));
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);
        await client.WriteAsync((byte[])[.. Bytes(HttpHead.Handshake()), .. Early]);
        var server = await backend.NextTunnelAsync();

        client.Reset();

        await server.WaitForEndAsync();
        Assert.Equal("ClientGone", (await AccessLines.OnlyAsync(balancer)).Fields["Outcome"]);
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_backend_that_is_handed_off_says_goodbye_to_the_tunnel(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address).With("Pools:chat:Drain:Over", "00:00:00"));
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        var server = await backend.NextTunnelAsync();
        await Frames.AssertPassAsync(client, server);

        var draining = balancer.Services.GetRequiredService<IBackendControl>().HandOffAsync(BackendTarget.Of("chat", "a"), cancellationToken: Wait.Token());

        Assert.Equal(0x88, (await client.ReadExactlyAsync(2))[0]);
        await client.WriteAsync(ClientsClose);
        Assert.Equal(ClientsClose, await server.ReadExactlyAsync(ClientsClose.Length));
        await server.WriteAsync(BackendsClose);
        await client.WaitForEndAsync();
        await server.WaitForEndAsync();
        await draining;
        var line = await AccessLines.OnlyAsync(balancer);
        Assert.Equal(("HandedOff", "raw"), ((string)line.Fields["EndReason"]!, (string)line.Fields["Lane"]!));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task The_process_ends_the_tunnel_as_any_other(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Start(lane, Direct(backend.Address));
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        await Frames.AssertPassAsync(client, await backend.NextTunnelAsync());

        await balancer.StopAsync();

        await client.WaitForEndAsync();
        var line = await AccessLines.OnlyAsync(balancer);
        Assert.Equal(("Shutdown", "raw"), ((string)line.Fields["EndReason"]!, (string)line.Fields["Lane"]!));
    }

    [Theory]
    [MemberData(nameof(DirectLanes))]
    public async Task A_handshake_waits_in_line_for_its_place_as_a_first_one_does(Lane lane)
    {
        var mayOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var backend = Owned(Backend(mayOpen: mayOpen.Task));
        var balancer = Start(lane, Direct(backend.Address).With("Pools:chat:Backends:a:MaxHandshakes", "1").With("Pools:chat:Queue:Timeout", "00:10:00"));
        var first = await ConnectAsync(balancer, lane);
        await first.WriteAsync(HttpHead.Handshake());
        await Wait.UntilAsync(() => backend.Heads.Count == 1);
        var client = await ConnectAsync(balancer, lane);
        await AskAsync(client);

        await client.WriteAsync((byte[])[.. Bytes(HttpHead.Handshake()), .. Early]);
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools[0].Lines.Handshakes.Count == 1);
        mayOpen.SetResult();

        Assert.Equal(101, HttpHead.Status(await first.ReadHeadAsync()));
        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        await CloseAsync(first, await backend.NextTunnelAsync());
        var server = await backend.NextTunnelAsync();
        Assert.Equal(Early, await server.ReadExactlyAsync(Early.Length));
        await CloseAsync(client, server);
    }

    [Theory]
    [InlineData(Lane.Raw)]
    [InlineData(Lane.RawEpoll)]
    public async Task With_a_limit_of_Kestrels_the_tunnel_gives_its_place_back(Lane lane)
    {
        var backend = Owned(Backend());
        var balancer = Owned(Balancer.Start(Direct(backend.Address).Serving(lane), static kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = 1;
            kestrel.Listen(IPAddress.Loopback, 0);
        }));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        await AskAsync(client);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        var server = await backend.NextTunnelAsync();

        await Wait.UntilAsync(async () =>
        {
            await using var next = await RawClient.ConnectAsync(balancer.Address);
            try
            {
                return HttpHead.Status(await next.AskAsync(Get)) == 200;
            }
            catch (IOException)
            {
                return false; // Its place is not free yet.
            }
        });

        await Frames.AssertPassAsync(client, server);
        await CloseAsync(client, server);
    }

    private static LiveSettings Direct(string address)
        => Pool(address).With("Pools:chat:Http", "Direct").With("Pools:chat:Health:Passive:Enabled", "false");

    // It answers requests, and opens tunnels, on any of its connections.
    private static RawBackend Backend(Task? mayAnswer = null, Task? mayOpen = null) => RawBackend.Start(async (backend, wire) =>
    {
        while (true)
        {
            var head = await backend.TakeHeadAsync(wire);
            if (mayAnswer is not null) await mayAnswer;
            if (HttpHead.Value(head, "Upgrade") is not null)
            {
                if (mayOpen is not null) await mayOpen;
                backend.GiveToTest(wire); // Before another handshake has its turn.
                await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
                return;
            }

            await wire.WriteAsync(Ok);
        }
    });

    private static async Task AskAsync(RawClient client)
    {
        Assert.Equal(200, HttpHead.Status(await client.AskAsync(Get)));
        Assert.Equal("ok", await client.ReadTextAsync(2));
    }

    private static async Task CloseAsync(Wire client, Wire server)
    {
        await client.WriteAsync(ClientsClose);
        Assert.Equal(ClientsClose, await server.ReadExactlyAsync(ClientsClose.Length));
        await server.WriteAsync(BackendsClose);
        await server.FinishAsync();
        Assert.Equal(BackendsClose, await client.ReadExactlyAsync(BackendsClose.Length));
        await client.WaitForEndAsync();
        await client.DisposeAsync();
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
