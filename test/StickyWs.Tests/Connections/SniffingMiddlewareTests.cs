using System.IO.Pipelines;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.TestKit;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Connections;

/// <summary>What becomes of a connection: it goes on, its handshake is forwarded, or it is refused. The same for each way in which one may arrive.</summary>
public abstract class SniffingMiddlewareTests : MiddlewareTest
{
    private const string Plain = "GET /a HTTP/1.1\r\nHost: example.test\r\n\r\n";

    private protected SniffingMiddlewareTests(Accepted accepted)
        : base(accepted)
    {
    }

    public static TheoryData<string, string> OnesThatGoOn => new()
    {
        { Plain, nameof(Verdict.PlainHttp) },
        { "POST /a HTTP/1.1\r\nHost: example.test\r\nContent-Length: 5\r\n\r\nhello", nameof(Verdict.PlainHttp) },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", nameof(Verdict.Http2Preface) },
        { "\u0016\u0003\u0001", nameof(Verdict.Tls) },
        { "GET /a HTTP/1.1\nHost: example.test\n\n", nameof(Verdict.Doubtful) },
        // Handshakes that only Kestrel may read: their paths have to be decoded.
        { HttpHead.Handshake("/ch%61t"), nameof(Verdict.Doubtful) },
        { HttpHead.Handshake("/./chat"), nameof(Verdict.Doubtful) },
    };

    [Theory]
    [MemberData(nameof(OnesThatGoOn))]
    public async Task OnConnection_NoHandshakeThatIsHereAlready_IsTheNextOnesTask(string sent, string verdict)
    {
        await Accepted.SendAsync(sent);

        var serving = Serve();

        if (Accepted.Term is null) Assert.Same(Next.Task, serving); // Where it may move, there is more to it.
        await AssertPassedAsync(sent, verdict);
    }

    [Theory]
    [MemberData(nameof(OnesThatGoOn))]
    public async Task OnConnection_NoHandshakeByteByByte_GoesOnOnceAndWhole(string sent, string verdict)
    {
        var serving = Serve();
        foreach (var letter in sent) await Accepted.Client.WriteAsync(letter.ToString());

        await Wait.UntilAsync(() => Passed.Count > 0);

        Assert.False(WasNextOnReactor);
        await AssertPassedAsync(sent, verdict);
        Assert.False(serving.IsCompleted);
        Next.SetResult();
        await serving.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task OnConnection_Released_HasTheGateInFrontOfItsEnd()
    {
        await Accepted.SendAsync(Plain);

        _ = Serve();

        var connection = Assert.Single(Passed);
        var gate = connection.Features.Get<HalfCloseGate>()!;
        Assert.Equal(gate.ConnectionClosed, connection.ConnectionClosed);
        gate.Hold();
        await Accepted.Client.FinishAsync();
        await Wait.UntilAsync(() => gate.Left.IsCancellationRequested);
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(40)]
    [InlineData(10_000)]
    public async Task OnConnection_HandshakeOfAPool_IsForwardedAndNeverGoesOn(int split)
    {
        var handshake = HttpHead.Handshake("/chat");
        var (early, late) = (handshake[..Math.Min(split, handshake.Length)], handshake[Math.Min(split, handshake.Length)..] + "hello");
        if (early.Length > 0) await Accepted.SendAsync(early);
        var serving = Serve();
        await Accepted.Client.WriteAsync(late);

        Assert.Equal(101, HttpHead.Status(await Accepted.Client.ReadHeadAsync()));
        var tunnel = await Backend.NextTunnelAsync();
        Assert.Equal("hello", await tunnel.ReadTextAsync(5));
        await tunnel.WriteAsync("back");
        Assert.Equal("back", await Accepted.Client.ReadTextAsync(4));
        Assert.StartsWith("GET /chat HTTP/1.1\r\n", Assert.Single(Backend.Heads), StringComparison.Ordinal);

        await Accepted.Client.FinishAsync();
        Assert.Empty(await tunnel.ReadToEndAsync());
        await tunnel.FinishAsync();
        await CompleteAsync(serving);
        Assert.Empty(Passed);
    }

    // SslStream needs the runtime's streams at both ends.
    [Theory]
    [InlineData(TlsMode.Auto, "raw")]
    [InlineData(TlsMode.OpenSsl, "raw")]
    [InlineData(TlsMode.SslStream, "portable")]
    public async Task OnConnection_HandshakeOfAPoolWithTls_TakesTheLaneOfItsTls(TlsMode mode, string lane)
    {
        Tls = mode;
        await using var backend = RawBackend.Opening(certificate: TestCertificate.Server);
        Apply(new PoolOptions { Backends = { ["a"] = new BackendOptions { Address = backend.Address } }, Tls = { DangerousAcceptAnyCertificate = true } });
        var serving = Serve();
        await Accepted.Client.WriteAsync(HttpHead.Handshake() + "hello");

        var tunnel = await backend.NextTunnelAsync();
        Assert.Equal("hello", await tunnel.ReadTextAsync(5));
        Assert.Equal(101, HttpHead.Status(await Accepted.Client.ReadHeadAsync()));
        Assert.Contains(this is OnPipe ? "portable" : lane, Assert.Single(Log, line => line.Event == "TunnelOpened").Text, StringComparison.Ordinal);

        await Accepted.Client.FinishAsync();
        Assert.Empty(await tunnel.ReadToEndAsync());
        await tunnel.FinishAsync();
        await CompleteAsync(serving);
        Assert.Empty(Passed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnConnection_HandshakeThatNoPoolWants_GoesOnWhole(bool isHereAlready)
    {
        Apply(null);

        await AssertHandshakeGoesOnAsync(isHereAlready);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnConnection_HandshakeOfAPoolThatHasItPassThePipeline_GoesOnWhole(bool isHereAlready)
    {
        Apply(new PoolOptions { WebSockets = WebSocketMode.Pipeline });

        await AssertHandshakeGoesOnAsync(isHereAlready);
    }

    // They are not the sniffer's to swallow, nor to log.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnConnection_NextFails_FailsAlike(bool isHereAlready)
    {
        var failure = new IOException("The next one's.");
        Next.SetException(failure);
        if (isHereAlready) await Accepted.SendAsync(Plain);
        var serving = Serve();
        if (!isHereAlready) await Accepted.Client.WriteAsync(Plain);

        Assert.Same(failure, await Assert.ThrowsAsync<IOException>(() => serving.WaitAsync(Wait.Bound)));
        Assert.DoesNotContain(Log, line => line.Event == "ConnectionFailed");
    }

    [Fact]
    public async Task OnConnection_SniffedAlready_GoesOnWithoutAnotherLook()
    {
        await Accepted.SendAsync(Plain);
        _ = Serve();
        var (arrival, closed) = (Arrival, Accepted.Connection.ConnectionClosed);

        Assert.Same(Next.Task, Serve());

        Assert.Same(arrival, Arrival);
        Assert.Equal(closed, Accepted.Connection.ConnectionClosed);
        await AssertPassedAsync(Plain, nameof(Verdict.PlainHttp), times: 2);
    }

    [Fact]
    public async Task OnConnection_SniffedAsTls_IsSniffedAgainInsideTls()
    {
        await Accepted.SendAsync("\u0016\u0003\u0001");
        _ = Serve();
        Assert.Equal(Verdict.Tls, Arrival!.Verdict);
        var inside = new Pipe();
        await inside.Writer.WriteAsync(Encoding.Latin1.GetBytes(Plain));
        Accepted.Connection.Transport = new DuplexPipe(inside.Reader, new Pipe().Writer);

        _ = Serve();

        await AssertPassedAsync(Plain, nameof(Verdict.PlainHttp), times: 2);
    }

    private async Task AssertHandshakeGoesOnAsync(bool isHereAlready)
    {
        var handshake = HttpHead.Handshake();
        if (isHereAlready) await Accepted.SendAsync(handshake);
        _ = Serve();
        if (!isHereAlready) await Accepted.Client.WriteAsync(handshake);

        await Wait.UntilAsync(() => Passed.Count > 0);

        Assert.False(WasNextOnReactor);
        await AssertPassedAsync(handshake, nameof(Verdict.WebSocket));
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    public sealed class OnPipe() : SniffingMiddlewareTests(Accepted.ByKestrel());

    public sealed class OnEpoll() : SniffingMiddlewareTests(Accepted.ByReactor(ReactorMode.Epoll));

    public sealed class OnIoUring() : SniffingMiddlewareTests(Accepted.ByReactor(ReactorMode.IoUring));

    public sealed class BeforeKestrel() : SniffingMiddlewareTests(Accepted.BeforeKestrel());
}
