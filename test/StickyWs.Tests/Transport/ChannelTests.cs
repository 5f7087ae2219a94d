using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tests.Tunnels;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A socket as a stream of bytes on its reactor.</summary>
public abstract class ChannelTests : IAsyncDisposable
{
    private const int Limit = 64 * 1024;
    private const int Large = 8 * 1024 * 1024;

    private static readonly PipeOptions Pooled = Options(PipeScheduler.ThreadPool);
    private static readonly PipeOptions Inline = Options(PipeScheduler.Inline);

    private readonly RelayRig _rig;
    private readonly ChannelWitness _owner = new();
    private readonly Wire _peer;
    private readonly int _fd;
    private Channel? _channel;

    protected ChannelTests(ReactorMode mode)
        : this(new RelayRig(mode))
    {
    }

    private ChannelTests(RelayRig rig)
    {
        _rig = rig;
        var (outer, fd) = _rig.Connect();
        _fd = fd;
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Close(new ObjectDisposedException("the test"), isReset: true);
        await _rig.DisposeAsync();
        await _peer.DisposeAsync();
        if (_channel is not null) Assert.Equal(1, _owner.Ends);
    }

    [Fact]
    public async Task Input_HasEveryByteInOrderAndThenTheEnd()
    {
        var channel = Open();
        await _peer.WriteAsync("hello, ");
        await _peer.WriteAsync("world");
        await _peer.FinishAsync();

        Assert.Equal("hello, world", Encoding.Latin1.GetString(await ReadToEndAsync(channel)));
        Assert.Null(await EndedAsync());
        Assert.Null(channel.Failure);
    }

    [Fact]
    public async Task Input_OfAReaderWhoStalls_StopsTheSenderAndLosesNothing()
    {
        var channel = Open();
        var content = new Content(1);
        var held = await FillAsync(content);
        Assert.InRange(held, Limit, Large - 1);

        var pushing = PairRelayTests.PushAsync(_peer, seed: 2, 50_000, Large);
        await AssertReadsAsync(channel, content, held);
        await AssertReadsAsync(channel, new Content(2), Large);
        await pushing;
    }

    [Fact]
    public async Task Input_WithAFinBehindWhatNobodyReads_EndsBehindIt()
    {
        var channel = Open();
        var content = new Content(3);
        var held = await FillAsync(content);
        await _peer.FinishAsync();
        await _rig.TurnAsync();
        Assert.Equal(0, _owner.Ends);

        await AssertReadsAsync(channel, content, held);

        Assert.Empty(await ReadToEndAsync(channel));
    }

    [Fact]
    public async Task Break_OfAClient_IsToldAtOnce()
    {
        var channel = Open();
        var reading = channel.Input.ReadAsync().AsTask();

        _peer.Reset();

        await Assert.ThrowsAsync<ConnectionResetException>(() => reading.WaitAsync(Wait.Bound));
        Assert.IsType<ConnectionResetException>(await EndedAsync());
    }

    [Fact]
    public async Task Break_OfAClientWhoseBytesNobodyReads_IsToldAtOnce()
    {
        Open();
        await FillAsync(new Content(4));

        _peer.Reset();

        Assert.IsAssignableFrom<IOException>(await EndedAsync());
    }

    [Fact]
    public async Task Break_OfABackend_IsToldBehindItsAnswer()
    {
        using (await _rig.HoldAsync())
        {
            Open(isReadToTheEnd: true);
            await _peer.WriteAsync("the answer");
            _peer.Reset();
        }

        Assert.Equal("the answer", Encoding.Latin1.GetString(await ReadToEndAsync(_channel!)));
        Assert.IsAssignableFrom<IOException>(_channel!.Failure);
    }

    [Fact]
    public async Task Break_OfABackendWhoseAnswerIsReadSlowly_IsToldBehindAllOfIt()
    {
        var channel = Open(isReadToTheEnd: true);
        var content = new Content(5);
        var held = await FillAsync(content);
        _peer.Reset();
        await _rig.TurnAsync();

        var rest = await ReadToEndAsync(channel);

        Assert.True(content.Matches(rest, 0));
        Assert.InRange(rest.Length, Limit, held);
        Assert.IsAssignableFrom<IOException>(channel.Failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_OfMoreThanTheKernelTakes_SendsAll(bool isInPieces)
    {
        var channel = Open();
        var bytes = new byte[Large];
        new Content(6).Write(bytes, 0);

        var sending = isInPieces ? channel.SendAsync(Pieces(bytes), Wait.Token()).AsTask() : channel.SendAsync(bytes.AsMemory(), Wait.Token()).AsTask();
        await AssertArriveAsync(channel, sending, seed: 6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_FromTheReactorsThread_SendsAll(bool isInPieces)
    {
        var channel = Open();
        var bytes = new byte[Large];
        new Content(7).Write(bytes, 0);

        var sending = await _rig.DoAsync(() => isInPieces
            ? channel.SendAsync(Pieces(bytes), Wait.Token()).AsTask()
            : channel.SendAsync(bytes.AsMemory(), Wait.Token()).AsTask());
        await AssertArriveAsync(channel, sending, seed: 7);
    }

    [Fact]
    public async Task Send_OfNothing_IsDone()
    {
        var channel = Open();

        Assert.True(channel.SendAsync(ReadOnlyMemory<byte>.Empty, default).AsTask().IsCompletedSuccessfully);
        Assert.True(channel.SendAsync(ReadOnlySequence<byte>.Empty, default).AsTask().IsCompletedSuccessfully);
        Assert.True(await _rig.DoAsync(() => channel.SendAsync(ReadOnlyMemory<byte>.Empty, default).AsTask().IsCompletedSuccessfully));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_ThatWaitsForRoom_CanBeCancelled(bool isOnTheReactor)
    {
        var channel = Open();
        using var cancel = new CancellationTokenSource();
        var sending = await SendAsync(channel, isOnTheReactor, cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(Wait.Bound));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_ThatWaitsForRoom_EndsWithTheChannel(bool isOnTheReactor)
    {
        var channel = Open();
        var sending = await SendAsync(channel, isOnTheReactor, default);

        channel.Close(new ConnectionAbortedException("on purpose"), isReset: true);

        var failure = await Assert.ThrowsAsync<IOException>(() => sending.WaitAsync(Wait.Bound));
        Assert.Equal("on purpose", failure.InnerException?.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_ToAPeerThatBreaks_Fails(bool isOnTheReactor)
    {
        var channel = Open();
        var sending = await SendAsync(channel, isOnTheReactor, default);

        _peer.Reset();

        await Assert.ThrowsAnyAsync<IOException>(() => sending.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Send_OnAClosedChannel_Fails()
    {
        var channel = Open();
        channel.Close(new ConnectionAbortedException(), isReset: false);

        await Assert.ThrowsAsync<IOException>(async () => await channel.SendAsync("x"u8.ToArray(), default));
        await Assert.ThrowsAsync<IOException>(() => _rig.DoAsync(async () => await channel.SendAsync("x"u8.ToArray(), default)).Unwrap());
    }

    // In the same turn: what was gathered for a socket that is closed before the turn ends is not sent on its successor.
    [Fact]
    public async Task Send_OnTheReactor_ClosedInTheSameTurn_EndsAndSendsNothing()
    {
        var channel = Open();
        await _rig.TurnAsync();

        var sending = await _rig.DoAsync(() =>
        {
            var task = channel.SendAsync("never"u8.ToArray().AsMemory(), default).AsTask();
            channel.Close(new ConnectionAbortedException("on purpose"), isReset: true);
            return task;
        });

        if (_rig.Reactor is UringReactor) await Assert.ThrowsAsync<IOException>(() => sending.WaitAsync(Wait.Bound));
        else await sending.WaitAsync(Wait.Bound); // Sent at once.
        await _peer.WaitForEndAsync();
    }

    [Fact]
    public async Task Close_InOrder_IsSeenAsAnEndBehindAllThatWasSent()
    {
        var channel = Open();
        await channel.SendAsync("all"u8.ToArray(), default);

        channel.Close(new ConnectionAbortedException(), isReset: false);

        Assert.Equal("all", await _peer.ReadTextToEndAsync());
    }

    [Fact]
    public async Task Close_ByAReset_IsSeenAsABreak()
    {
        var channel = Open();

        channel.Close(new ConnectionAbortedException(), isReset: true);

        Assert.False(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Close_TellsReadersWhy_TheFirstTimeOnly()
    {
        var channel = Open(isReadToTheEnd: true);
        var reading = channel.Input.ReadAsync().AsTask();

        channel.Close(new ConnectionAbortedException("first"), isReset: true);
        channel.Close(new ConnectionAbortedException("second"), isReset: false);

        Assert.Equal("first", (await Assert.ThrowsAsync<ConnectionAbortedException>(() => reading.WaitAsync(Wait.Bound))).Message);
        Assert.Equal("first", (await EndedAsync())?.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reader_WhoReadsNoMore_EndsTheInputAndNotTheConnection(bool hasReason)
    {
        var channel = Open();
        await channel.Input.CompleteAsync(hasReason ? new InvalidTimeZoneException() : null);
        await _peer.WriteAsync("for nobody");

        await EndedAsync();

        await channel.SendAsync("still here"u8.ToArray(), default);
        Assert.Equal("still here", await _peer.ReadTextAsync(10));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reader_WhoReadsNoMoreOfAFullPipe_EndsTheInput(bool hasReason)
    {
        var channel = Open();
        await FillAsync(new Content(8));

        await channel.Input.CompleteAsync(hasReason ? new InvalidTimeZoneException() : null);

        await EndedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reader_OnTheReactor_MayEndTheChannelThere(bool isClosed)
    {
        var channel = Open(Inline);
        var isOnTheReactor = false;
        var reading = ReadAndEndAsync();
        await _peer.WriteAsync("x");

        await reading.WaitAsync(Wait.Bound);

        Assert.True(isOnTheReactor);
        if (!isClosed) await _peer.WriteAsync("for nobody");
        await EndedAsync();
        await _rig.TurnAsync();

        async Task ReadAndEndAsync()
        {
            await channel.Input.ReadAsync();
            isOnTheReactor = _rig.Reactor.IsCurrent;
            if (isClosed) channel.Close(new ConnectionAbortedException(), isReset: false);
            else await channel.Input.CompleteAsync();
        }
    }

    [Fact]
    public async Task Socket_TellsOptions_AndIsClosedWithTheChannel()
    {
        var channel = Open();
        var socket = channel.Socket;
        Assert.Same(socket, channel.Socket);
        Assert.Equal(_peer.Socket.LocalEndPoint, socket.RemoteEndPoint);

        channel.Close(new ConnectionAbortedException(), isReset: false);

        Assert.Throws<ObjectDisposedException>(() => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.True(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Close_OnTheReactorBeforeTheStartIsServed_LeavesTheNextOwnerOfItsNumberAlone()
    {
        var channel = Open(start: false);
        var (outer, fd) = _rig.Connect();
        await using var peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        using var next = new RawSocket(_rig.Reactor, fd);
        await _rig.TurnAsync();
        await _rig.DoAsync(() =>
        {
            OnAnotherThread(channel.Start);
            channel.Close(new ConnectionAbortedException(), isReset: true);
            return next.Left; // Is watched from here on.
        });

        await peer.WriteAsync("x");

        Assert.Equal(1, await next.ReceiveAsync(new byte[9], Wait.Token()));

        static void OnAnotherThread(Action work)
        {
            var thread = new Thread(() => work());
            thread.Start();
            thread.Join();
        }
    }

    [Fact]
    public async Task ReactorsEnd_EndsTheChannel()
    {
        var channel = Open();
        var reading = channel.Input.ReadAsync().AsTask();

        _rig.Stop();

        await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(Wait.Bound));
        await Assert.ThrowsAsync<IOException>(async () => await channel.SendAsync("x"u8.ToArray(), default));
        Assert.False(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task ReactorsEnd_BeforeTheChannelStarts_EndsIt()
    {
        var channel = Open(start: false);

        _rig.Stop();
        channel.Start();

        Assert.IsType<IOException>(await EndedAsync());
        Assert.False(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task ReactorsEnd_BeforeTheChannelIsClosed_LeavesNothingOpen()
    {
        var channel = Open(start: false);

        _rig.Stop();
        channel.Close(new ConnectionAbortedException(), isReset: false);

        Assert.IsType<ConnectionAbortedException>(await EndedAsync());
        Assert.True(await _peer.EndsInOrderAsync());
    }

    private static PipeOptions Options(PipeScheduler readers)
        => new(
            readerScheduler: readers,
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: Limit,
            resumeWriterThreshold: Limit / 2,
            useSynchronizationContext: false);

    // More places than one call sends from, of all sizes.
    private static ReadOnlySequence<byte> Pieces(byte[] bytes)
    {
        var first = new Piece(bytes.AsMemory(0, 1), 0);
        var last = first;
        for (var (at, size) = (1, 0); at < bytes.Length; size = (size + 997) % 20_000)
        {
            var length = Math.Min(size, bytes.Length - at);
            last = last.Append(bytes.AsMemory(at, length));
            at += length;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static async Task<byte[]> ReadToEndAsync(Channel channel)
    {
        var whole = new ArrayBufferWriter<byte>();
        while (true)
        {
            var read = await channel.Input.ReadAsync(Wait.Token());
            if (read is { IsCompleted: true, Buffer.IsEmpty: true }) return whole.WrittenSpan.ToArray();
            whole.Write(read.Buffer.ToArray());
            channel.Input.AdvanceTo(read.Buffer.End);
        }
    }

    private static async Task AssertReadsAsync(Channel channel, Content content, int count)
    {
        for (var at = 0; at < count;)
        {
            var read = await channel.Input.ReadAsync(Wait.Token());
            var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, count - at));
            Assert.True(content.Matches(taken.ToArray(), at));
            at += (int)taken.Length;
            channel.Input.AdvanceTo(taken.End);
            Assert.False(read.IsCompleted && at < count);
        }
    }

    private async Task AssertArriveAsync(Channel channel, Task sending, int seed)
    {
        var getting = PairRelayTests.AssertGetsAsync(_peer, seed, Large);
        await sending.WaitAsync(Wait.Bound);
        channel.Close(new ConnectionAbortedException(), isReset: false);
        await getting;
    }

    // What its owner has been told of.
    private async Task<Exception?> EndedAsync()
    {
        await _owner.Ended.WaitAsync(Wait.Bound);
        return _channel!.Failure;
    }

    private Channel Open(PipeOptions? input = null, bool isReadToTheEnd = false, bool start = true)
    {
        _channel = new Channel(new RawSocket(_rig.Reactor, _fd), _owner, input ?? Pooled, isReadToTheEnd);
        if (start) _channel.Start();
        return _channel;
    }

    // Sends until the reactor receives no more and the kernel takes no more.
    private async Task<int> FillAsync(Content content)
    {
        var bytes = new byte[32 * 1024];
        _peer.Socket.Blocking = false;
        var (filled, idle) = (0, 0);
        while (idle < 20)
        {
            content.Write(bytes, filled);
            var sent = _peer.Socket.Send(bytes, System.Net.Sockets.SocketFlags.None, out var error);
            if (error is not (SocketError.Success or SocketError.WouldBlock)) throw new SocketException((int)error);
            idle = sent > 0 ? 0 : idle + 1;
            filled += sent;
            await _rig.TurnAsync();
        }

        _peer.Socket.Blocking = true;
        return filled;
    }

    // A send that waits for room.
    private async Task<Task> SendAsync(Channel channel, bool isOnTheReactor, CancellationToken cancellationToken)
    {
        var bytes = new byte[64 * Large];
        var sending = isOnTheReactor
            ? await _rig.DoAsync(() => channel.SendAsync(bytes.AsMemory(), cancellationToken).AsTask())
            : channel.SendAsync(bytes.AsMemory(), cancellationToken).AsTask();
        await _rig.TurnAsync();
        Assert.False(sending.IsCompleted);
        return sending;
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long at) => (Memory, RunningIndex) = (memory, at);

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    public sealed class OnEpoll() : ChannelTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : ChannelTests(ReactorMode.IoUring);

    public sealed class OnIoUringThatGathers() : ChannelTests(RelayRig.ThatGathers());
}
