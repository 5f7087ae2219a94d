using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A connection that is a bare socket until somebody uses it as an ordinary one.</summary>
public abstract class RawConnectionTests : IAsyncDisposable
{
    private readonly ChannelSettings _settings = new(new SocketTransportOptions(), new TransportOptions());
    private readonly RelayRig _rig;
    private readonly RawConnection _connection;
    private readonly Wire _peer;

    protected RawConnectionTests(ReactorMode mode)
    {
        _rig = new RelayRig(mode);
        var (outer, fd) = _rig.Loopback.Connect(out var remote);
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        _connection = new RawConnection(new RawSocket(_rig.Reactor, fd), null, remote, _settings, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _peer.DisposeAsync();
        await _rig.DisposeAsync();
        _settings.Dispose();
    }

    [Fact]
    public void EndPoints_AreThoseOfTheSocketAndKeepItRaw()
    {
        Assert.Equal(_peer.Socket.LocalEndPoint, _connection.RemoteEndPoint);
        Assert.Equal(_peer.Socket.RemoteEndPoint, _connection.LocalEndPoint);
        Assert.True(_connection.IsRaw);
    }

    [Fact]
    public void TlsEnd_ForAConnectionInUse_IsRefused()
    {
        _ = _connection.ConnectionClosed;

        Assert.Throws<InvalidOperationException>(() => _connection.Realize(new StickyWs.Tls.TlsStart(null!, default)));
    }

    [Fact]
    public async Task Peek_ConsumesNothing()
    {
        var buffer = new byte[16];
        Assert.Equal(-1, _connection.TryPeek(buffer));
        await _peer.WriteAsync("hello");
        await _connection.WaitReadableAsync(Wait.Token());

        Assert.Equal(5, _connection.TryPeek(buffer));
        Assert.Equal(5, _connection.TryPeek(buffer));
        Assert.Equal("hello", await ReadAsync(5));
    }

    [Fact]
    public async Task Peek_AtTheEndOfTheStream_IsZero()
    {
        await _peer.FinishAsync();
        await _connection.WaitReadableAsync(Wait.Token());

        Assert.Equal(0, _connection.TryPeek(new byte[16]));
        Assert.True(_connection.HasPeerLeft);
    }

    [Fact]
    public async Task Peek_BehindAFinWithBytesBeforeIt_SaysThatThereIsNoMore()
    {
        await _peer.WriteAsync("part");
        await _connection.WaitReadableAsync(Wait.Token());
        Assert.False(_connection.HasPeerLeft);

        await _peer.FinishAsync();
        await _connection.WaitReadableAsync(Wait.Token());

        Assert.True(_connection.HasPeerLeft);
        Assert.Equal(4, _connection.TryPeek(new byte[16]));
    }

    [Fact]
    public async Task Peek_AtABrokenConnection_Throws()
    {
        _peer.Reset();
        await _connection.WaitReadableAsync(Wait.Token());

        Assert.Throws<IOException>(() => _connection.TryPeek(new byte[16]));
    }

    [Fact]
    public void Items_AreThere()
    {
        _connection.Items["a"] = "b";

        Assert.Equal("b", _connection.Features.Get<IConnectionItemsFeature>()!.Items["a"]);
        Assert.True(_connection.IsRaw);
    }

    [Fact]
    public void ConnectionId_IsTheSameBeforeAndAfterwards()
    {
        var id = _connection.ConnectionId;

        Assert.Equal(id, _connection.Realize().ConnectionId);
        Assert.Equal(id, _connection.Features.Get<IConnectionIdFeature>()!.ConnectionId);
    }

    [Fact]
    public void ConnectionId_ThatWasSet_IsKept()
    {
        _connection.ConnectionId = "mine";

        Assert.Equal("mine", _connection.Realize().ConnectionId);
    }

    [Fact]
    public void EndPoints_AreThereWhenTheConnectionIsClosed()
    {
        var (local, remote) = (_peer.Socket.RemoteEndPoint, _peer.Socket.LocalEndPoint);
        Assert.NotNull(_connection.Transport);

        _connection.Abort(new ConnectionAbortedException());

        Assert.Equal(local, _connection.LocalEndPoint);
        Assert.Equal(remote, _connection.RemoteEndPoint);
    }

    [Fact]
    public void Features_SetBefore_AreThereAfterwards()
    {
        var (feature, other) = (new Feature(), new Feature());
        _connection.Features.Set(feature);
        _connection.Features[typeof(string)] = other;
        _connection.Features[typeof(string)] = null;
        Assert.True(_connection.IsRaw);

        _connection.Realize();

        Assert.Same(feature, _connection.Features.Get<Feature>());
        Assert.Contains(_connection.Features, entry => entry.Key == typeof(Feature));
        Assert.Null(_connection.Features[typeof(string)]);
    }

    [Fact]
    public void Features_ThatAreReplaced_AreThoseThatWereSetLast()
    {
        var socket = new OtherSocket();

        _connection.Features.Set<IConnectionSocketFeature>(socket);

        Assert.Same(socket, _connection.Features.Get<IConnectionSocketFeature>());
    }

    [Fact]
    public void Features_ThatNobodyHas_DoNotRealize()
    {
        Assert.Null(_connection.Features.Get<Feature>());
        Assert.Null(_connection.Features.Get<IConnectionHeartbeatFeature>());
        Assert.True(_connection.IsRaw);
    }

    [Fact]
    public void Features_Revision_GoesUpWithEverySet()
    {
        var before = _connection.Features.Revision;

        _connection.Features.Set(new Feature());

        Assert.NotEqual(before, _connection.Features.Revision);
    }

    // Every feature that the runtime's own connection answers to, so that one which is added there is noticed.
    [Fact]
    public void Features_AreThoseOfTheRuntimesOwnConnection()
    {
        using var factory = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), NullLogger.Instance);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var runtimes = factory.Create(socket);

        Assert.Equal(runtimes.Features.Select(entry => entry.Key.Name).Order(), _connection.Features.Select(entry => entry.Key.Name).Order());
        Assert.All(_connection.Features, entry => Assert.IsAssignableFrom(entry.Key, entry.Value));
        Assert.True(_connection.IsRaw);
        runtimes.Abort();
    }

    [Fact]
    public void Socket_RealizesAndTellsOptionsAndEnds()
    {
        var socket = _connection.Features.Get<IConnectionSocketFeature>()!.Socket;

        Assert.False(_connection.IsRaw);
        Assert.Null(_connection.Features.Get<IRawConnection>());
        Assert.Equal(_peer.Socket.LocalEndPoint, socket.RemoteEndPoint);
        Assert.Equal(_peer.Socket.RemoteEndPoint, socket.LocalEndPoint);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        Assert.NotEqual(0, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
    }

    // Its descriptor may be another's by then.
    [Fact]
    public async Task Socket_OfAClosedConnection_IsClosed()
    {
        var socket = _connection.Socket;

        await _connection.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Throws<ObjectDisposedException>(() => _connection.Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true));
    }

    [Fact]
    public async Task Transport_OfARealizedConnection_HasEveryByte()
    {
        await _peer.WriteAsync("before");
        await _connection.WaitReadableAsync(Wait.Token());
        var transport = _connection.Transport;
        await _peer.WriteAsync(", after");

        Assert.Equal("before, after", await ReadAsync(13));
        await transport.Output.WriteAsync("back"u8.ToArray());
        Assert.Equal("back", await _peer.ReadTextAsync(4));
        Assert.False(_connection.IsRaw);
    }

    [Fact]
    public async Task ConnectionClosed_OfARealizedConnection_FiresWithTheClientsEnd()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connection.ConnectionClosed.Register(closed.SetResult);

        await _peer.FinishAsync();

        await closed.Task.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task Dispose_BehindADetach_LeavesTheSocket()
    {
        using var socket = _connection.Detach();

        await _connection.DisposeAsync();

        await socket.SendAsync("still here"u8.ToArray(), Wait.Token());
        Assert.Equal("still here", await _peer.ReadTextAsync(10));
    }

    [Fact]
    public void Detach_ThenAnythingElse_IsRefused()
    {
        using var socket = _connection.Detach();

        Assert.False(_connection.IsRaw);
        Assert.Throws<InvalidOperationException>(_connection.Detach);
        Assert.Throws<ObjectDisposedException>(() => _connection.Transport);
        Assert.Throws<ObjectDisposedException>(() => _connection.Realize());
        Assert.Null(_connection.Features.Get<IRawConnection>());
    }

    [Fact]
    public void Detach_OfARealizedConnection_IsRefused()
    {
        _connection.Realize();

        Assert.Throws<InvalidOperationException>(_connection.Detach);
    }

    [Fact]
    public void Realize_FromManyThreads_MakesOne()
    {
        var all = new ConnectionContext[8];
        Parallel.For(0, all.Length, i => all[i] = _connection.Realize());

        Assert.Single(all.Distinct());
    }

    [Fact]
    public async Task Dispose_OfABareSocket_ClosesItInOrder()
    {
        await _connection.DisposeAsync();

        Assert.True(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Abort_BeforeRealize_BreaksWithTheDispose()
    {
        _connection.Abort(new ConnectionAbortedException());
        Assert.Throws<IOException>(() => _connection.TryPeek(new byte[1]));

        await _connection.DisposeAsync();

        Assert.False(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Abort_BeforeRealize_EndsWhatWaits()
    {
        var waiting = _connection.WaitReadableAsync(CancellationToken.None).AsTask();

        _connection.Abort(new ConnectionAbortedException());

        await waiting.WaitAsync(Wait.Bound);
        Assert.Throws<IOException>(() => _connection.TryPeek(new byte[1]));
    }

    [Fact]
    public async Task Abort_BeforeRealize_ReachesItsPipes()
    {
        _connection.Abort(new ConnectionAbortedException());

        var input = _connection.Realize().Transport.Input;

        await Assert.ThrowsAnyAsync<Exception>(async () => await input.ReadAsync(Wait.Token()));
        await _peer.WaitForEndAsync();
    }

    [Fact]
    public async Task Abort_AfterRealize_ReachesItsPipes()
    {
        var input = _connection.Transport.Input;

        _connection.Abort(new ConnectionAbortedException());

        await Assert.ThrowsAnyAsync<Exception>(async () => await input.ReadAsync(Wait.Token()));
        await _peer.WaitForEndAsync();
    }

    [Fact]
    public async Task Abort_BehindADetach_EndsWhatTheNewOwnerWaitsFor()
    {
        using var socket = _connection.Detach();
        var waiting = socket.ReceiveAsync(new byte[1], CancellationToken.None).AsTask();

        _connection.Abort(new ConnectionAbortedException());

        await Assert.ThrowsAsync<IOException>(() => waiting.WaitAsync(Wait.Bound));
        Assert.True(socket.Left.IsCancellationRequested);
    }

    private async Task<string> ReadAsync(int count)
    {
        var read = await _connection.Transport.Input.ReadAtLeastAsync(count, Wait.Token());
        var text = Encoding.Latin1.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
        _connection.Transport.Input.AdvanceTo(read.Buffer.End);
        return text;
    }

    private sealed class Feature;

    private sealed class OtherSocket : IConnectionSocketFeature
    {
        public Socket Socket => throw new NotSupportedException();
    }

    public sealed class OnEpoll() : RawConnectionTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RawConnectionTests(ReactorMode.IoUring);
}
