using System.Net;
using System.Net.Sockets;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A socket while its handshake lasts.</summary>
public abstract class RawSocketTests : IAsyncDisposable
{
    private readonly RelayRig _rig;
    private readonly RawSocket _socket;
    private readonly Wire _peer;

    protected RawSocketTests(ReactorMode mode)
    {
        _rig = new RelayRig(mode);
        var (outer, fd) = _rig.Connect();
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        _socket = new RawSocket(_rig.Reactor, fd);
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _peer.DisposeAsync();
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task Receive_BeforeAnythingCame_WaitsForIt()
    {
        var buffer = new byte[16];
        var receiving = _socket.ReceiveAsync(buffer, Wait.Token()).AsTask();

        await _peer.WriteAsync("hello");

        Assert.Equal(5, await receiving);
        await _peer.FinishAsync();
        Assert.Equal(0, await _socket.ReceiveAsync(buffer, Wait.Token()));
    }

    [Fact]
    public async Task Receive_Cancelled_CanBeTriedAgain()
    {
        using var cancel = new CancellationTokenSource();
        var receiving = _socket.ReceiveAsync(new byte[16], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);

        await _peer.WriteAsync("x");

        Assert.Equal(1, await _socket.ReceiveAsync(new byte[16], Wait.Token()));
    }

    [Fact]
    public async Task Send_OfMoreThanTheKernelTakes_WaitsAndSendsAll()
    {
        var bytes = new byte[16_000_000];
        new Random(1).NextBytes(bytes);
        var sending = _socket.SendAsync(bytes, Wait.Token()).AsTask();
        Assert.False(sending.IsCompleted);

        Assert.Equal(bytes, await _peer.ReadExactlyAsync(bytes.Length));
        await sending;
    }

    [Fact]
    public async Task Send_ToABrokenPeer_Throws()
    {
        _peer.Reset();

        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true) await _socket.SendAsync(new byte[1000], Wait.Token());
        });
    }

    [Fact]
    public async Task Skip_DropsWhatWasPeekedAtAndNoMore()
    {
        await _peer.WriteAsync("skipped, kept");
        await _socket.WaitReadableAsync(Wait.Token());

        _socket.Skip(9);

        var buffer = new byte[16];
        Assert.Equal(4, await _socket.ReceiveAsync(buffer, Wait.Token()));
        Assert.Equal("kept"u8.ToArray(), buffer[..4]);
        Assert.Throws<IOException>(() => _socket.Skip(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Left_FiresWithThePeersEnd(bool inOrder)
    {
        var left = _socket.Left;
        Assert.False(left.IsCancellationRequested);

        if (inOrder) await _peer.FinishAsync();
        else _peer.Reset();

        await Wait.UntilAsync(() => left.IsCancellationRequested);
        Assert.True(_socket.Left.IsCancellationRequested);
    }

    [Fact]
    public async Task Left_AskedForBehindTheEnd_HasFired()
    {
        await _peer.FinishAsync();
        await _socket.WaitReadableAsync(Wait.Token());

        await Wait.UntilAsync(() => _socket.Left.IsCancellationRequested);
    }

    [Fact]
    public async Task Left_WithBytesComing_DoesNotFire()
    {
        var left = _socket.Left;

        await _peer.WriteAsync("hello");
        await _socket.ReceiveAsync(new byte[16], Wait.Token());

        Assert.False(left.IsCancellationRequested);
    }

    [Fact]
    public async Task Connect_ToAListener_Stands()
    {
        using var socket = RawSocket.Create(_rig.Reactor, Libc.AF_INET);

        await socket.ConnectAsync(new RawAddress(_rig.Loopback.EndPoint), Wait.Token());

        await socket.SendAsync("x"u8.ToArray(), Wait.Token());
    }

    [Fact]
    public async Task Connect_ToNobody_IsRefused()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var socket = RawSocket.Create(_rig.Reactor, Libc.AF_INET);

        var address = new RawAddress((IPEndPoint)closed.LocalEndPoint!);
        var refused = await Assert.ThrowsAsync<SocketException>(async () => await socket.ConnectAsync(address, Wait.Token()));

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task Abort_EndsWhatWaits()
    {
        var receiving = _socket.ReceiveAsync(new byte[1], CancellationToken.None).AsTask();

        _socket.Abort();

        await Assert.ThrowsAsync<IOException>(() => receiving.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Reset_IsSeenAsABreak()
    {
        _socket.Abort();
        _socket.Dispose();

        Assert.False(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Linger_WithBytesThatNobodyTook_LetsTheAnswerArrive()
    {
        await _peer.WriteAsync("more than was asked for");
        await _socket.SendAsync("answer"u8.ToArray(), Wait.Token());
        var lingering = _socket.LingerAsync(Wait.Bound, TimeProvider.System).AsTask();

        Assert.Equal("answer", await _peer.ReadTextToEndAsync());
        Assert.False(lingering.IsCompleted);
        await _peer.FinishAsync();
        await lingering;
    }

    [Fact]
    public async Task Linger_WithAPeerThatNeverFinishes_GoesOnWithoutIt()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var lingering = _socket.LingerAsync(TimeSpan.FromSeconds(5), time).AsTask();
        Assert.False(lingering.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(5));

        await lingering.WaitAsync(Wait.Bound);
    }

    [Fact]
    public void Dispose_Twice_ClosesOnce()
    {
        _socket.Dispose();
        var (outer, inner) = _rig.Connect(); // Takes the number that became free.

        _socket.Dispose();

        using var next = new RawSocket(_rig.Reactor, inner);
        using (outer) Assert.Equal(1, outer.Send("x"u8));
        Assert.Throws<ObjectDisposedException>(() => _socket.Release());
        Assert.Throws<ObjectDisposedException>(() => _socket.ReleaseWatched());
    }

    public sealed class OnEpoll() : RawSocketTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RawSocketTests(ReactorMode.IoUring);
}
