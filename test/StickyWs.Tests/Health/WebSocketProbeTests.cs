using System.Text;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

public sealed class WebSocketProbeTests
{
    private const int PingBytes = 8;
    private const int MaskedPing = 2 + 4 + PingBytes;
    private const int MaskedClose = 2 + 4 + 2;

    [Fact]
    public async Task Probe_Good_SaysGoodbyeInOrder()
    {
        var after = new TaskCompletionSource<byte[]>();
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await wire.WriteAsync(HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire)));
            await wire.WriteAsync(Frame(0xA, await PingAsync(wire)));
            after.SetResult(await wire.ReadToEndAsync());
        });

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));

        var close = await after.Task.WaitAsync(Wait.Token());
        Assert.Equal(MaskedClose, close.Length);
        Assert.Equal(0x88, close[0]);
        Assert.Equal([0x03, 0xe8], Unmask(close));
    }

    [Fact]
    public async Task Probe_Good_SendsWhatIsConfigured()
    {
        await using var backend = Ponging("Sec-WebSocket-Protocol: chat\r\n");

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool, probe =>
        {
            (probe.Path, probe.Host, probe.Subprotocol) = ("/ws?a=%20b", "chat.test", "chat");
            probe.Headers["Origin"] = "https://chat.test";
        }));

        Assert.Null(cause);
        var head = Assert.Single(backend.Heads);
        Assert.Equal("GET /ws?a=%20b HTTP/1.1", HttpHead.FirstLine(head));
        Assert.Equal(["chat.test"], HttpHead.Values(head, "Host"));
        Assert.Equal(["13"], HttpHead.Values(head, "Sec-WebSocket-Version"));
        Assert.Equal(["chat"], HttpHead.Values(head, "Sec-WebSocket-Protocol"));
        Assert.Equal(["https://chat.test"], HttpHead.Values(head, "Origin"));
        Assert.Equal(16, Convert.FromBase64String(HttpHead.Value(head, "Sec-WebSocket-Key")!).Length);
    }

    [Fact]
    public async Task Probe_Twice_UsesAnotherKey()
    {
        await using var backend = Ponging();

        await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool));
        await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool));

        Assert.Equal(2, backend.Heads.Select(head => HttpHead.Value(head, "Sec-WebSocket-Key")).Distinct().Count());
        Assert.All(backend.Heads, head => Assert.Equal($"127.0.0.1:{backend.Port}", HttpHead.Value(head, "Host")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Probe_RealServer_IsGood(bool secured)
    {
        var authority = TestCertificate.WriteAuthorityFile();
        await using var backend = await EchoBackend.StartAsync("echo", secured ? TestCertificate.Server : null);

        var cause = await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool, probe =>
        {
            pool.Tls.CaCertificateFile = authority;
            probe.Subprotocol = "chat";
        }));
        File.Delete(authority);

        Assert.Null(cause);
    }

    [Fact]
    public async Task Probe_AnswerOneByteAtATime_IsGood()
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            foreach (var letter in HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire))) await wire.WriteAsync(letter.ToString());
            foreach (var part in Frame(0xA, await PingAsync(wire))) await wire.WriteAsync(new[] { part });
            await wire.WaitForEndAsync();
        });

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Fact]
    public async Task Probe_ChatterBeforeThePong_IsSkipped()
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            // Some of it in the same segment as the 101.
            var head = HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire));
            byte[] first = [.. Encoding.Latin1.GetBytes(head), .. Frame(0x1, new byte[3]), 0x82];
            byte[] second = [126, 0xff, 0xff, .. new byte[0xffff], .. Frame(0x9, new byte[125])];
            byte[] third = [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, .. new byte[0x10000], .. Frame(0xA, new byte[PingBytes]), .. Frame(0xA, [])];
            await wire.WriteAsync(first);
            await wire.WriteAsync(second);
            await wire.WriteAsync(third);
            await wire.WriteAsync(Frame(0xA, await PingAsync(wire)));
            await wire.WaitForEndAsync();
        });

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "status 200, expected 101")]
    [InlineData("HTTP/1.1 503 Evil\r\nContent-Length: 0\r\n\r\n", "status 503, expected 101")]
    [InlineData("HTTP/1.1 503 Evil\u001b[31m\r\nContent-Length: 0\r\n\r\n", "the handshake's answer is not HTTP/1.1")]
    [InlineData("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "the 101 lacks its one Sec-WebSocket-Accept")]
    [InlineData(
        "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "wrong Sec-WebSocket-Accept")]
    [InlineData("SSH-2.0-evil\r\n\r\n", "the handshake's answer is not HTTP/1.1")]
    [InlineData("HTTP/1.1 101 S\r\n", "connection closed before the handshake was answered")]
    [InlineData("", "connection closed before the handshake was answered")]
    public async Task Probe_Answer_MustOpenAWebSocket(string answer, string cause)
    {
        await using var backend = RawBackend.Answering(_ => answer);

        Assert.Equal(cause, await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Theory]
    [InlineData("Upgrade: websocket", "Upgrade: h2c", "the 101 is not one of a WebSocket: Upgrade or Connection is wrong")]
    [InlineData("Connection: Upgrade", "Connection: close", "the 101 is not one of a WebSocket: Upgrade or Connection is wrong")]
    [InlineData(
        "Connection: Upgrade",
        "Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate",
        "the backend chose an extension that was not offered")]
    [InlineData("Connection: Upgrade", "Connection: Upgrade\r\nSec-WebSocket-Protocol: chat", "the backend chose a subprotocol, but none was offered")]
    public async Task Probe_RightAcceptKeyAlone_IsNotEnough(string right, string wrong, string cause)
    {
        await using var backend = RawBackend.Answering(head => HttpHead.SwitchingProtocols(head).Replace(right, wrong, StringComparison.Ordinal));

        Assert.Equal(cause, await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    // RFC 9112 section 6.3: a 1xx ends at its empty line.
    [Theory]
    [InlineData("Content-Length: 0\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: x\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    public async Task Probe_AnswerThatAnnouncesABody_IsAWebSocketAllTheSame(string headers)
    {
        await using var backend = Ponging(headers);

        Assert.Null(await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Sec-WebSocket-Protocol: other\r\n")]
    public async Task Probe_SubprotocolNotChosen_Fails(string headers)
    {
        await using var backend = Ponging(headers);

        Assert.Equal(
            "the backend did not choose the subprotocol chat",
            await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool, probe => probe.Subprotocol = "chat")));
    }

    [Fact]
    public async Task Probe_HeadWithoutEnd_Fails()
    {
        await using var backend = RawBackend.Answering(_ => $"HTTP/1.1 101 S\r\nX: {new string('x', 32 * 1024)}");

        Assert.Equal("the handshake's answer has a head of more than 32768 bytes", await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Theory]
    [InlineData(new byte[] { 0x88, 0x00 }, "the backend sent Close instead of a pong")]
    [InlineData(new byte[] { 0xc1, 0x00 }, "a frame with a reserved bit, though no extension was offered")]
    [InlineData(new byte[] { 0x83, 0x00 }, "a frame with a reserved opcode")]
    [InlineData(new byte[] { 0x8b, 0x00 }, "a frame with a reserved opcode")]
    [InlineData(new byte[] { 0x81, 0x80, 0, 0, 0, 0 }, "a masked frame, which a server must not send")]
    [InlineData(new byte[] { 0x0a, 0x00 }, "a control frame that is fragmented or too long")]
    [InlineData(new byte[] { 0x8a, 126, 0, 126 }, "a control frame that is fragmented or too long")]
    [InlineData(new byte[] { 0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0 }, "a frame with a negative length")]
    [InlineData(new byte[] { 0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, "more than 256 frames or 1048576 bytes, and no pong among them")]
    [InlineData(new byte[] { 0x8a, 0x08, 1, 2 }, "connection closed before the ping was answered")]
    [InlineData(new byte[] { 0x81, 0x7d, 1, 2 }, "connection closed before the ping was answered")]
    public async Task Probe_WrongFrames_Fail(byte[] frames, string cause)
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await wire.WriteAsync(HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire)));
            await PingAsync(wire);
            await wire.WriteAsync(frames);
            await wire.FinishAsync();
        });

        Assert.Equal(cause, await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50_000)]
    public async Task Probe_FloodWithoutPong_IsCutOff(int size)
    {
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await wire.WriteAsync(HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire)));
            byte[] frame = [0x82, 126, (byte)(size >> 8), (byte)size, .. new byte[size]];
            while (true) await wire.WriteAsync(frame);
        });

        Assert.Equal("more than 256 frames or 1048576 bytes, and no pong among them", await ProbeRun.OnceAsync(backend.Address, pool => WebSocket(pool)));
    }

    [Fact]
    public async Task Probe_Refused_SaysSo() => Assert.Equal("connection refused", await ProbeRun.RefusedAsync(pool => WebSocket(pool)));

    [Fact]
    public async Task Probe_NoAnswer_TimesOut()
    {
        var reached = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await self.TakeHeadAsync(wire);
            reached.SetResult();
        });

        Assert.Equal("no answer within 2 s", await ProbeRun.SilentAsync(backend.Address, reached.Task, pool => WebSocket(pool)));
    }

    [Fact]
    public async Task Probe_NoPong_TimesOut()
    {
        var reached = new TaskCompletionSource();
        await using var backend = RawBackend.Start(async (self, wire) =>
        {
            await wire.WriteAsync(HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire)));
            await wire.WriteAsync(Frame(0xA, [.. (await PingAsync(wire)).Reverse()]));
            reached.SetResult();
        });

        Assert.Equal("no answer within 2 s", await ProbeRun.SilentAsync(backend.Address, reached.Task, pool => WebSocket(pool)));
    }

    private static void WebSocket(PoolOptions pool, Action<WebSocketProbeOptions>? change = null)
    {
        pool.Health.WebSocket = new WebSocketProbeOptions();
        change?.Invoke(pool.Health.WebSocket);
    }

    private static RawBackend Ponging(string headers = "") => RawBackend.Start(async (self, wire) =>
    {
        await wire.WriteAsync(HttpHead.SwitchingProtocols(await self.TakeHeadAsync(wire), headers));
        await wire.WriteAsync(Frame(0xA, await PingAsync(wire)));
        await wire.WaitForEndAsync();
    });

    private static async Task<byte[]> PingAsync(Wire wire)
    {
        var ping = await wire.ReadExactlyAsync(MaskedPing);
        Assert.Equal(0x89, ping[0]);
        return Unmask(ping);
    }

    private static byte[] Unmask(byte[] frame)
    {
        Assert.Equal(0x80 | (frame.Length - 6), frame[1]);
        return [.. frame.Skip(6).Select((value, place) => (byte)(value ^ frame[2 + (place % 4)]))];
    }

    private static byte[] Frame(int opcode, byte[] payload) => [(byte)(0x80 | opcode), (byte)payload.Length, .. payload];
}
