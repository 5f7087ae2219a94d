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
public abstract class RawSocketTests(ReactorMode mode) : RawSocketTest(onFailure => ReactorKind.Create(mode, onFailure))
{
    [Fact]
    public async Task Receive_BeforeAnythingCame_WaitsForIt()
    {
        var buffer = new byte[16];
        var receiving = Socket.ReceiveAsync(buffer, Wait.Token()).AsTask();

        await Peer.WriteAsync("hello");

        Assert.Equal(5, await receiving);
        await Peer.FinishAsync();
        Assert.Equal(0, await Socket.ReceiveAsync(buffer, Wait.Token()));
    }

    [Fact]
    public async Task Receive_Cancelled_CanBeTriedAgain()
    {
        using var cancel = new CancellationTokenSource();
        var receiving = Socket.ReceiveAsync(new byte[16], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving);

        await Peer.WriteAsync("x");

        Assert.Equal(1, await Socket.ReceiveAsync(new byte[16], Wait.Token()));
    }

    [Fact]
    public async Task Send_OfMoreThanTheKernelTakes_WaitsAndSendsAll()
    {
        var bytes = new byte[16_000_000];
        new Random(1).NextBytes(bytes);
        var sending = Socket.SendAsync(bytes, Wait.Token()).AsTask();
        Assert.False(sending.IsCompleted);

        Assert.Equal(bytes, await Peer.ReadExactlyAsync(bytes.Length));
        await sending;
    }

    [Fact]
    public async Task Send_ToABrokenPeer_Throws()
    {
        Peer.Reset();

        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true) await Socket.SendAsync(new byte[1000], Wait.Token());
        });
    }

    [Fact]
    public async Task Skip_DropsWhatWasPeekedAtAndNoMore()
    {
        await Peer.WriteAsync("skipped, kept");
        await Socket.WaitReadableAsync(Wait.Token());

        Socket.Skip(9);

        var buffer = new byte[16];
        Assert.Equal(4, await Socket.ReceiveAsync(buffer, Wait.Token()));
        Assert.Equal("kept"u8.ToArray(), buffer[..4]);
        Assert.Throws<IOException>(() => Socket.Skip(1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Left_FiresWithThePeersEnd(bool inOrder)
    {
        var left = Socket.Left;
        Assert.False(left.IsCancellationRequested);

        if (inOrder) await Peer.FinishAsync();
        else Peer.Reset();

        await Wait.UntilAsync(() => left.IsCancellationRequested);
        Assert.True(Socket.Left.IsCancellationRequested);
    }

    [Fact]
    public async Task Left_AskedForBehindTheEnd_HasFired()
    {
        await Peer.FinishAsync();
        await Socket.WaitReadableAsync(Wait.Token());

        await Wait.UntilAsync(() => Socket.Left.IsCancellationRequested);
    }

    [Fact]
    public async Task Left_WithBytesComing_DoesNotFire()
    {
        var left = Socket.Left;

        await Peer.WriteAsync("hello");
        await Socket.ReceiveAsync(new byte[16], Wait.Token());

        Assert.False(left.IsCancellationRequested);
    }

    [Fact]
    public async Task Connect_ToAListener_Stands()
    {
        using var socket = RawSocket.Create(Rig.Reactor, Libc.AF_INET);

        await socket.ConnectAsync(new RawAddress(Rig.Loopback.EndPoint), Wait.Token());

        await socket.SendAsync("x"u8.ToArray(), Wait.Token());
    }

    [Fact]
    public async Task Connect_ToNobody_IsRefused()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var socket = RawSocket.Create(Rig.Reactor, Libc.AF_INET);

        var address = new RawAddress((IPEndPoint)closed.LocalEndPoint!);
        var refused = await Assert.ThrowsAsync<SocketException>(async () => await socket.ConnectAsync(address, Wait.Token()));

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task Abort_EndsWhatWaits()
    {
        var receiving = Socket.ReceiveAsync(new byte[1], CancellationToken.None).AsTask();

        Socket.Abort();

        await Assert.ThrowsAsync<IOException>(() => receiving.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Reset_IsSeenAsABreak()
    {
        Socket.Abort();
        Socket.Dispose();

        Assert.False(await Peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Linger_WithBytesThatNobodyTook_LetsTheAnswerArrive()
    {
        await Peer.WriteAsync("more than was asked for");
        await Socket.SendAsync("answer"u8.ToArray(), Wait.Token());
        var lingering = Socket.LingerAsync(Wait.Bound, TimeProvider.System).AsTask();

        Assert.Equal("answer", await Peer.ReadTextToEndAsync());
        Assert.False(lingering.IsCompleted);
        await Peer.FinishAsync();
        await lingering;
    }

    [Fact]
    public async Task Linger_WithAPeerThatNeverFinishes_GoesOnWithoutIt()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var lingering = Socket.LingerAsync(TimeSpan.FromSeconds(5), time).AsTask();
        Assert.False(lingering.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(5));

        await lingering.WaitAsync(Wait.Bound);
    }

    [Fact]
    public void Dispose_Twice_ClosesOnce()
    {
        Socket.Dispose();
        var (outer, inner) = Rig.Connect(); // Takes the number that became free.

        Socket.Dispose();

        using var next = new RawSocket(Rig.Reactor, inner);
        using (outer) Assert.Equal(1, outer.Send("x"u8));
        Assert.Throws<ObjectDisposedException>(() => Socket.Release());
        Assert.Throws<ObjectDisposedException>(() => Socket.ReleaseWatched());
    }

    public sealed class OnEpoll() : RawSocketTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RawSocketTests(ReactorMode.IoUring);
}
