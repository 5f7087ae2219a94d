using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Handshake;

public sealed class AnswerTests : BalancerTest
{
    private const string RightHeaders = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

    public static MatrixTheoryData<Lane, string> WrongAnswers { get; } = new(
        [Lane.Raw, Lane.RawEpoll, Lane.Portable, Lane.KeptAlive],
        [
            $"HTTP/1.1 101 Switching Protocols\r\n{RightHeaders}Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            $"HTTP/1.1 101 Switching Protocols\r\n{RightHeaders}\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            $"HTTP/1.1 101 Switching Protocols\r\n{RightHeaders}Sec-WebSocket-Accept: {{accept}}\r\nSec-WebSocket-Accept: {{accept}}\r\n\r\n",
            $"HTTP/1.0 101 Switching Protocols\r\n{RightHeaders}Sec-WebSocket-Accept: {{accept}}\r\n\r\n",
            "SSH-2.0-OpenSSH_9.9\r\n",
            "HTTP/1.1 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
            "HTTP/1.1 101 Switching",
            "HTTP/1.1 103 Early Hints\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX: " + new string('x', 40 * 1024) + "\r\n\r\n",
        ]);

    public static MatrixTheoryData<Lane, string> Framings { get; } = new(
        Enum.GetValues<Lane>(),
        [
            "Content-Length: 0\r\n",
            "content-length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 0\r\nContent-Length: 7\r\n",
            "Content-Length: -1\r\nContent-Length:\r\n",
            "Content-Length: 99999999999999999999, x\r\nTransfer-Encoding: gzip, chunked\r\nTransfer-Encoding: identity\r\nTrailer: X\r\n",
        ]);

    public static MatrixTheoryData<Lane, string> Bodies { get; } = new(
        Enum.GetValues<Lane>(),
        [
            "Content-Length: 11\r\n\r\nnot allowed",
            "Transfer-Encoding: chunked\r\n\r\n4;x=y\r\nnot \r\n7\r\nallowed\r\n0\r\nTrailer: x\r\n\r\n",
            "\r\nnot allowed",
        ]);

    [Theory]
    [MemberData(nameof(WrongAnswers))]
    public async Task An_answer_that_is_not_valid_is_a_502(Lane lane, string wrong)
    {
        await using var backend = RawBackend.Answering(head => wrong.Replace("{accept}", HttpHead.Accept(head), StringComparison.Ordinal));
        await using var other = RawBackend.Opening();
        var balancer = Start(lane, backend.Address, other.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(502, HttpHead.Status(answer));
        Assert.Equal("502 Bad Gateway: The backend's answer is not valid.\n", await client.ReadBodyAsync(answer));
        Assert.Equal(0, other.Connections);
    }

    // RFC 9112 section 6.3: a 1xx ends at its empty line, whatever it says of a body.
    [Theory]
    [MemberData(nameof(Framings))]
    public async Task A_101_that_announces_a_body_opens_its_tunnel_and_the_client_hears_nothing_of_it(Lane lane, string framing)
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            var head = await self.TakeHeadAsync(wire);
            await wire.WriteAsync($"HTTP/1.1 100 Continue\r\n{framing}\r\nHTTP/1.1 103 Early Hints\r\n{framing}Link: </a>\r\n\r\n"
                + $"{HttpHead.SwitchingProtocols(head, framing + "X-Kept: 1\r\n")}first");
            self.GiveToTest(wire);
        });
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(101, HttpHead.Status(answer));
        Assert.Equal("1", HttpHead.Value(answer, "X-Kept"));
        Assert.All(["Content-Length", "Transfer-Encoding", "Trailer", "Link"], name => Assert.Null(HttpHead.Value(answer, name)));
        Assert.Equal("first", await client.ReadTextAsync(5));
        var server = await backend.NextTunnelAsync();
        await client.WriteAsync("from the client");
        Assert.Equal("from the client", await server.ReadTextAsync(15));
        await server.WriteAsync("from the backend");
        Assert.Equal("from the backend", await client.ReadTextAsync(16));
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task An_answer_that_declines_is_passed_on_with_its_body(Lane lane, string rest)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 403 Members Only\r\nX-Reason: guest\r\nConnection: X-Hop\r\nX-Hop: 1\r\n" + rest);
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal("HTTP/1.1 403 Members Only", HttpHead.FirstLine(answer));
        Assert.Equal("guest", HttpHead.Value(answer, "X-Reason"));
        Assert.Equal(["close"], HttpHead.Values(answer, "Connection"));
        Assert.Null(HttpHead.Value(answer, "X-Hop"));
        Assert.Equal("not allowed", await client.ReadBodyAsync(answer));
        Assert.True(await client.EndsInOrderAsync());
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Interim_answers_are_skipped(Lane lane)
    {
        await using var hinting = RawBackend.Start(async (hinting, wire) =>
        {
            var head = await hinting.TakeHeadAsync(wire);
            await wire.WriteAsync("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HttpHead.SwitchingProtocols(head) + "hello");
        });
        var balancer = Start(lane, hinting.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(101, HttpHead.Status(answer));
        Assert.Null(HttpHead.Value(answer, "Link"));
        Assert.Equal("hello", await client.ReadTextAsync(5));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_silent_backend_is_a_504(Lane lane)
    {
        await using var backend = RawBackend.Start(async (backend, wire) => await backend.TakeHeadAsync(wire));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Timeouts:Handshake", "00:00:00.2"));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(504, HttpHead.Status(answer));
        Assert.Equal("504 Gateway Timeout: The backend did not answer in time.\n", await client.ReadBodyAsync(answer));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task The_handshake_timeout_does_not_cut_an_open_tunnel(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Timeouts:Handshake", "00:00:01")); // This one's must not run into it.
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await using var silent = RawBackend.Start(async (silent, wire) => await silent.TakeHeadAsync(wire));
        balancer.Settings.Change(data => data["StickyWs:Pools:chat:Backends:a:Address"] = silent.Address);

        // Another handshake, begun later, has run into the same time-out when this one's would be over.
        var late = await ConnectAsync(balancer, lane);
        Assert.Equal(504, HttpHead.Status(await late.AskAsync(HttpHead.Handshake())));

        await client.WriteAsync("still here");
        Assert.Equal("still here", await server.ReadTextAsync(10));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task When_a_backend_closes_without_an_answer_another_is_asked(Lane lane)
    {
        await using var mute = RawBackend.Start(async (mute, wire) =>
        {
            await mute.TakeHeadAsync(wire);
            await wire.FinishAsync();
        });
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, mute.Address, backend.Address);

        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        Assert.Equal(1, mute.Connections);
        Assert.Equal(mute.Heads.Single(), backend.Heads.Single());
        await server.WriteAsync("hello");
        Assert.Equal("hello", await client.ReadTextAsync(5));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    public async Task When_no_backend_answers_one_more_is_asked_and_then_it_is_a_502(int count, int asked)
    {
        var heads = 0;
        var mutes = new RawBackend[count];
        for (var i = 0; i < count; i++)
        {
            mutes[i] = Owned(RawBackend.Start(async (mute, wire) =>
            {
                await mute.TakeHeadAsync(wire);
                Interlocked.Increment(ref heads);
                wire.Reset();
            }));
        }

        var balancer = Start(Lane.Raw, [.. mutes.Select(mute => mute.Address)]);
        var client = await ConnectAsync(balancer, Lane.Raw);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Equal(502, HttpHead.Status(answer));
        Assert.Equal("502 Bad Gateway: The backend closed the connection without an answer.\n", await client.ReadBodyAsync(answer));
        Assert.Equal(asked, heads);
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task An_answer_that_breaks_off_in_its_head_is_not_asked_for_again(Lane lane)
    {
        await using var breaking = RawBackend.Start(async (breaking, wire) =>
        {
            await breaking.TakeHeadAsync(wire);
            await wire.WriteAsync("HTTP/1.1 200 OK\r\nX: ");
            breaking.GiveToTest(wire);
        });
        await using var other = RawBackend.Opening();
        var balancer = Start(lane, breaking.Address, other.Address);
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync(HttpHead.Handshake());
        var wire = await breaking.NextTunnelAsync();
        await Wait.UntilAsync(() => SentQueue.IsEmpty(wire.Socket));
        wire.Reset();

        Assert.Equal(502, HttpHead.Status(await client.ReadHeadAsync()));
        Assert.Equal(0, other.Connections);
    }

    [Theory]
    [InlineData(Lane.Raw, "Content-Length: 100\r\n\r\nnot all")]
    [InlineData(Lane.RawEpoll, "Content-Length: 100\r\n\r\nnot all")]
    [InlineData(Lane.Portable, "Content-Length: 100\r\n\r\nnot all")]
    [InlineData(Lane.Raw, "Transfer-Encoding: chunked\r\n\r\n64\r\nnot all")]
    [InlineData(Lane.RawEpoll, "Transfer-Encoding: chunked\r\n\r\n64\r\nnot all")]
    [InlineData(Lane.Portable, "Transfer-Encoding: chunked\r\n\r\n64\r\nnot all")]
    [InlineData(Lane.Raw, "Transfer-Encoding: chunked\r\n\r\n3\r\nnot\r\nall")]
    [InlineData(Lane.RawEpoll, "Transfer-Encoding: chunked\r\n\r\n3\r\nnot\r\nall")]
    [InlineData(Lane.Portable, "Transfer-Encoding: chunked\r\n\r\n3\r\nnot\r\nall")]
    [InlineData(Lane.KeptAlive, "Content-Length: 100\r\n\r\nnot all")]
    [InlineData(Lane.KeptAlive, "Transfer-Encoding: chunked\r\n\r\n64\r\nnot all")]
    [InlineData(Lane.KeptAlive, "Transfer-Encoding: chunked\r\n\r\n3\r\nnot\r\nall")]
    public async Task A_body_that_breaks_off_does_not_look_whole(Lane lane, string rest)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 403 Forbidden\r\n" + rest);
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);
        await client.WriteAsync(HttpHead.Handshake());

        var isWhole = true;
        try
        {
            var answer = await client.ReadHeadAsync();
            await client.ReadBodyAsync(answer);
        }
        catch (IOException)
        {
            isWhole = false;
        }

        Assert.False(isWhole);
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task The_answer_to_a_handshake_may_come_byte_by_byte(Lane lane)
    {
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            foreach (var letter in HttpHead.SwitchingProtocols(head) + "hello") await wire.WriteAsync(letter.ToString());
        });
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal(101, HttpHead.Status(await client.AskAsync(HttpHead.Handshake())));
        Assert.Equal("hello", await client.ReadTextAsync(5));
    }
}
