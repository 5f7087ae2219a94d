using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.TestKit;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

/// <summary>When a tunnel of the portable lane has been still for too long.</summary>
public sealed class PipeTunnelTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstLook = Limit * 0.75;

    private readonly FakeTimeProvider _clock = new();
    private readonly List<Socket> _sockets = [];
    private readonly Socket _client;
    private readonly Socket _clientPeer;
    private readonly Socket _backend;
    private readonly Socket _backendPeer;

    public PipeTunnelTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the system does not tell what was acknowledged.");
        (_client, _clientPeer) = Connect();
        (_backend, _backendPeer) = Connect();
    }

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }

    // All that is on its way is with the kernel, so the tunnel itself moves nothing.
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task IsOverdue_ReaderIsSlow_NotWhileItAcknowledges(bool isClientSlow, bool isHalfClosed)
    {
        var tunnel = Tunnel(isHalfClosed ? new TunnelOptions { HalfClosedTimeout = Limit } : new TunnelOptions { IdleTimeout = Limit });
        if (isHalfClosed) tunnel.NoteHalfClosed();
        var (sender, reader) = isClientSlow ? (_client, _clientPeer) : (_backend, _backendPeer);
        Fill(sender);
        Assert.False(tunnel.IsOverdue());

        for (var round = 0; round < 3; round++)
        {
            _clock.Advance(FirstLook);
            Assert.False(tunnel.IsOverdue());
            await TakeSomeAsync(sender, reader);
            _clock.Advance(Limit - FirstLook);
            Assert.False(tunnel.IsOverdue());
        }

        await AssertEndsAsync(tunnel);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task IsOverdue_ReaderTakesNothing_OnceTheLimitHasPassed(bool isClientStalled)
    {
        var tunnel = Tunnel(new TunnelOptions { IdleTimeout = Limit });
        Fill(isClientStalled ? _client : _backend);

        await AssertEndsAsync(tunnel);
    }

    [Fact]
    public void IsOverdue_NothingUnderWay_AtTheLimitAndNotBefore()
    {
        var tunnel = Tunnel(new TunnelOptions { IdleTimeout = Limit });
        Assert.False(tunnel.IsOverdue());

        _clock.Advance(FirstLook);
        Assert.False(tunnel.IsOverdue());
        _clock.Advance(Limit - FirstLook - TimeSpan.FromTicks(1));
        Assert.False(tunnel.IsOverdue());
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(tunnel.IsOverdue());
    }

    [Theory]
    [InlineData(EndReason.HandedOff, EndReason.Cut, EndReason.Cut)]
    [InlineData(EndReason.MaxAge, EndReason.Shutdown, EndReason.Shutdown)]
    [InlineData(EndReason.ClientPingTimeout, EndReason.Cut, EndReason.Cut)]
    [InlineData(EndReason.BackendIdleTimeout, EndReason.Shutdown, EndReason.Shutdown)]
    [InlineData(EndReason.HandedOff, EndReason.IdleTimeout, EndReason.HandedOff)]
    [InlineData(EndReason.HandedOff, EndReason.ClientReset, EndReason.HandedOff)]
    public void Abort_AfterAGoodbye_IsTheReasonIfItCutsTheTunnelOff(EndReason said, EndReason abort, EndReason expected)
    {
        var tunnel = Tunnel(new TunnelOptions());
        tunnel.Say(new Goodbye(1012, "", said, Limit));

        tunnel.Abort(abort);

        Assert.Equal(expected, tunnel.EndReason);
    }

    [Fact]
    public void Abort_AfterTheEnd_ChangesNoReason()
    {
        var tunnel = Tunnel(new TunnelOptions());
        tunnel.Say(new Goodbye(1012, "", EndReason.HandedOff, Limit));
        tunnel.Close();

        tunnel.Abort(EndReason.Cut);

        Assert.Equal(EndReason.HandedOff, tunnel.EndReason);
    }

    // It is in the table before its relay runs.
    [Fact]
    public void EndOverdue_BeforeTheRelayIsAttached_LeavesTheGoodbyeToIt()
    {
        var tunnel = Tunnel(new TunnelOptions());
        tunnel.Say(new Goodbye(1012, "", EndReason.HandedOff, Limit));
        _clock.Advance(Limit);
        Assert.True(tunnel.IsOverdue());

        tunnel.EndOverdue();

        Assert.False(tunnel.IsOverdue());
    }

    // The client may have answered it already.
    [Fact]
    public void Begin_PingCameWithTheAnswer_IsNoQuestionAnyMore()
    {
        var tunnel = Tunnel(new TunnelOptions());
        var frames = FrameCursor.OfBackend;
        frames.Follow([0x89, 0]);

        tunnel.Begin(2, frames, hasFrames: true);

        Assert.False(tunnel.Frames(ofClient: false).TakePing());
        tunnel.CountToClient([0x89, 0]);
        Assert.True(tunnel.Frames(ofClient: false).TakePing());
    }

    // An acknowledgement may be delayed, and then counts at the next look.
    private Task AssertEndsAsync(PipeTunnel tunnel) => Wait.UntilAsync(() =>
    {
        _clock.Advance(Limit);
        return tunnel.IsOverdue();
    });

    private PipeTunnel Tunnel(TunnelOptions options)
    {
        var backend = new Backend("chat", "a", new Uri("http://127.0.0.1:1"), new TunnelTotal());
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));
        return new PipeTunnel(new Client(_client), new StreamBackendConnection(_backend, Stream.Null), lease, options, _clock);
    }

    private (Socket Near, Socket Far) Connect()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(near);
        near.Connect(listener.LocalEndpoint);
        var far = listener.AcceptSocket();
        _sockets.Add(far);
        return (near, far);
    }

    // So much that the kernel keeps some of it.
    private static void Fill(Socket sender)
    {
        sender.Blocking = false;
        var chunk = new byte[256 * 1024];
        var error = SocketError.Success;
        while (error == SocketError.Success) sender.Send(chunk, SocketFlags.None, out error);
        Assert.Equal(SocketError.WouldBlock, error);
    }

    private static async Task TakeSomeAsync(Socket sender, Socket reader)
    {
        var before = Acknowledged(sender);
        var buffer = new byte[64 * 1024];
        await Wait.UntilAsync(() =>
        {
            if (reader.Available > 0) reader.Receive(buffer);
            return Acknowledged(sender) > before;
        });
    }

    private static long Acknowledged(Socket sender) => SendQueue.Of(SocketView.Of(sender))!.Value.Acknowledged;

    private sealed class Client(Socket socket) : TunnelClient
    {
        public override ConnectionTuple? Tuple => null;

        public override string ConnectionId => "0";

        public override SocketView Socket => SocketView.Of(socket);

        public override void Abort() => socket.Close(0);
    }
}
