using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Tests.Draining;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>
/// The watch over the silence of each side in the portable lane, as <see cref="RelayWatchTests"/> have it for the raw lane. The client is a pair of pipes,
/// as an HTTP/2 stream is: what it acknowledges is not known.
/// </summary>
public sealed class PipeWatchTests : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly byte[] Message = OwnPings.Frame(0x81, [1, 2, 3], isMasked: true);
    private static readonly byte[] Answer = OwnPings.Frame(0x81, [1, 2, 3], isMasked: false);

    private readonly DrainRig _rig = new();
    private readonly Pipe _fromClient = new();
    private readonly Pipe _toClient = new();
    private readonly Socket _near;
    private readonly Wire _backend;
    private PipeTunnel _tunnel = null!;
    private Task _running = Task.CompletedTask;

    public PipeWatchTests()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _near.Connect(listener.LocalEndpoint);
        var far = listener.AcceptSocket();
        _backend = new Wire(far, new NetworkStream(far));
    }

    public async ValueTask DisposeAsync()
    {
        _tunnel.Abort(EndReason.Cut);
        await _fromClient.Writer.CompleteAsync();
        await _toClient.Reader.CompleteAsync();
        await _running.WaitAsync(Wait.Bound);
        await _backend.DisposeAsync();
        _rig.Dispose();
    }

    // It came before anybody watched. Until it is answered, nobody would be asked.
    [Fact]
    public async Task Ping_AnotherOneCameWithTheAnswer_IsSentAllTheSame()
    {
        var frames = FrameCursor.OfBackend;
        frames.Follow([0x89, 0]);
        Begin(PingPeers.Client, frames, early: 2);
        await _backend.WriteAsync(Answer);
        await AssertClientGetsAsync(Answer);

        Look(Interval);

        await AnswerAsync(await ReadPingAsync());
        Look(Interval - TimeSpan.FromSeconds(1));
        Assert.Null(_tunnel.Goodbye);
    }

    [Fact]
    public async Task Ping_Unanswered_LastBytesBeforeTheClientsEndArrive()
    {
        Begin(PingPeers.Client);
        Look(Interval);
        await ReadPingAsync();

        await SendAsync([.. Message, 0x8A]); // Perhaps the beginning of a Pong: it is held back until the end shows that it is none.
        await _fromClient.Writer.CompleteAsync();

        Assert.Equal((byte[])[.. Message, 0x8A], await _backend.ReadToEndAsync());
    }

    [Fact]
    public async Task Ping_Unanswered_LastBytesBeforeTheBackendsEndArrive()
    {
        Begin(PingPeers.Backend);
        Look(Interval);
        OwnPings.PayloadOf(await _backend.ReadExactlyAsync(OwnPings.ToBackend));

        await _backend.WriteAsync((byte[])[.. Answer, 0x8A]);
        await _backend.FinishAsync();

        await AssertClientGetsAsync([.. Answer, 0x8A]);
    }

    [Fact]
    public async Task Ping_PeersOwnFramesAreLost_IsNotSent()
    {
        Begin(PingPeers.Client);
        await SendAsync([0x0A, 0x80]);
        await _backend.ReadExactlyAsync(2);

        for (var i = 0; i < 3; i++) Look(Interval + Timeout);

        await _backend.WriteAsync(Answer);
        await AssertClientGetsAsync(Answer); // Nothing before it.
        Assert.Null(_tunnel.Goodbye);
    }

    [Fact]
    public async Task LateSweep_EndsNobody()
    {
        Begin(PingPeers.Client);
        Look(Interval);
        var ping = await ReadPingAsync();

        Look(10 * Interval, isLate: true);
        Look(Timeout - TimeSpan.FromSeconds(1));

        Assert.Null(_tunnel.Goodbye);
        await AnswerAsync(ping);
        Look(Timeout);
        Assert.Null(_tunnel.Goodbye);
    }

    private void Begin(PingPeers peers, FrameCursor? frames = null, int early = 0)
    {
        var options = new TunnelOptions();
        (options.Ping.Interval, options.Ping.Timeout, options.Ping.Peers) = (Interval, Timeout, peers);
        Assert.Equal(LeaseResult.Granted, _rig.B.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        _tunnel = new PipeTunnel(
            new Client(), new StreamBackendConnection(_near, new NetworkStream(_near, ownsSocket: true)), lease.Shaken(), options, _rig.Clock);
        _tunnel.Begin(early, frames ?? FrameCursor.OfBackend, hasFrames: true);
        _running = new Relay(_tunnel, new Duplex(_fromClient.Reader, _toClient.Writer), _rig.Tunnels).RunAsync();
    }

    private void Look(TimeSpan after, bool isLate = false)
    {
        _rig.Clock.Advance(after);
        _tunnel.LookAtPeers(isLate);
    }

    private async Task SendAsync(byte[] bytes) => await _fromClient.Writer.WriteAsync(bytes, Wait.Token());

    private async Task<byte[]> ReadPingAsync()
    {
        var ping = await ReadAsync(OwnPings.ToClient);
        OwnPings.PayloadOf(ping);
        return ping;
    }

    // Its sign of life has been seen when the next message arrives.
    private async Task AnswerAsync(byte[] ping)
    {
        await SendAsync([.. OwnPings.Answer(ping), .. Message]);
        Assert.Equal(Message, await _backend.ReadExactlyAsync(Message.Length));
    }

    private async Task AssertClientGetsAsync(byte[] expected) => Assert.Equal(expected, await ReadAsync(expected.Length));

    private async Task<byte[]> ReadAsync(int count)
    {
        var got = new byte[count];
        await _toClient.Reader.AsStream(leaveOpen: true).ReadExactlyAsync(got, Wait.Token());
        return got;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class Client : TunnelClient
    {
        public override ConnectionTuple? Tuple => null;

        public override string ConnectionId => "0";

        public override void Abort()
        {
            // The relay ends by its backend.
        }
    }
}
