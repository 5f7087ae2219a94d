using System.Buffers;
using System.Net.Sockets;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A socket that was watched, streamed, and is taken back: what its stream did not get, the bare socket has.</summary>
public abstract class TakeBackTests : RawSocketTest
{
    private readonly Handler _stream;

    protected TakeBackTests(ReactorMode mode, bool isOlder = false)
        : base(onFailure => ReactorKind.Create(mode, onFailure, isOlder: isOlder)) => _stream = new Handler(Rig.Reactor);

    [Fact]
    public async Task ASocketThatIsTakenBack_CanDoAllThatABareOneCan()
    {
        var number = await BeginAsync();
        await Peer.WriteAsync("one");
        await Wait.UntilAsync(() => _stream.Text == "one");
        await TakeBackAsync();

        await Peer.WriteAsync("two");
        await Socket.WaitReadableAsync(Wait.Token());
        Assert.Equal(3, Socket.TryPeek(new byte[16]));
        var buffer = new byte[16];
        Assert.Equal(3, await Socket.ReceiveAsync(buffer, Wait.Token()));
        await Socket.SendAsync("three"u8.ToArray(), Wait.Token());
        Assert.Equal("three", await Peer.ReadTextAsync(5));
        Assert.NotNull(Socket.LocalAddress);

        Assert.Equal(number, await BeginAsync());
        await Peer.WriteAsync("four");
        await Wait.UntilAsync(() => _stream.Text == "onefour");
        Assert.True(await Rig.DoAsync(() => Rig.Reactor.Write(number, "five"u8)));
        Assert.Equal("five", await Peer.ReadTextAsync(4));
        await Peer.FinishAsync();
        await Wait.UntilAsync(() => _stream.HasFinished);
        await TakeBackAsync();
    }

    // Whatever was on its way to the stream, or still in the kernel, when it ended.
    [Theory]
    [InlineData(100)]
    [InlineData(20_000)]
    [InlineData(300_000)]
    public async Task BytesThatArriveAllTheTime_AreAllThereAndInOrder(int most)
    {
        const int Length = 6_000_000;
        const int Block = 100_000;
        using var blocks = new SemaphoreSlim(0); // So many may be sent, lest all has arrived before the first end.
        var sent = new byte[Length];
        var random = new Random(most);
        random.NextBytes(sent);
        var writing = Task.Run(async () =>
        {
            for (var (at, begun) = (0, 0); at < Length;)
            {
                if (at / Block >= begun)
                {
                    await blocks.WaitAsync(Wait.Token());
                    begun++;
                }

                var count = Math.Min(random.Next(1, most), Length - at);
                await Peer.WriteAsync(sent.AsMemory(at, count));
                at += count;
            }
        });
        var got = new ArrayBufferWriter<byte>();
        var buffer = new byte[50_000];
        var rounds = 0;
        while (got.WrittenCount < Length)
        {
            rounds++;
            blocks.Release();
            await BeginAsync();
            await Wait.UntilAsync(() => _stream.Bytes > 0);
            await TakeBackAsync();
            got.Write(_stream.Take());
            blocks.Release();
            if (got.WrittenCount < Length) got.Write(buffer.AsSpan(0, await Socket.ReceiveAsync(buffer, Wait.Token())));
        }

        await writing;
        Assert.Equal(sent, got.WrittenSpan.ToArray());
        Assert.InRange(rounds, Length / (2 * (Block + most)), int.MaxValue);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnEnd_ThatCameToTheStreamOrWhileItWasPaused_IsToldOfTheBareSocket(bool isTold)
    {
        var number = await BeginAsync();
        if (!isTold) await PauseAsync(number);
        await Peer.FinishAsync();
        if (isTold) await Wait.UntilAsync(() => _stream.HasFinished);
        else await Rig.TurnAsync();

        await TakeBackAsync();

        var left = Socket.Left;
        await Wait.UntilAsync(() => left.IsCancellationRequested);
        Assert.True(Socket.HasPeerLeft);
        Assert.Equal(0, Socket.TryReceive(new byte[1]));
    }

    [Fact]
    public async Task AnEnd_ThatComesLater_IsToldOfTheBareSocket()
    {
        await BeginAsync();
        await TakeBackAsync();
        var left = Socket.Left;
        Assert.False(left.IsCancellationRequested);

        Peer.Reset();

        await Wait.UntilAsync(() => left.IsCancellationRequested);
    }

    // It is no bare socket as long as the kernel has not taken what its stream has sent.
    [Fact]
    public async Task WhileThePeerTakesNothing_ItCannotBeTakenBack_AndThenNothingIsLost()
    {
        const int Length = 24_000_000;
        var number = await BeginAsync();
        var bytes = new byte[Length];
        new Random(1).NextBytes(bytes);
        await Rig.DoAsync(() => Rig.Reactor.Write(number, bytes));
        await PauseAsync(number);
        Assert.False(await Rig.DoAsync(Socket.TryTakeBack));

        Assert.Equal(bytes, await Peer.ReadExactlyAsync(Length));
        await TakeBackAsync();
        await Socket.SendAsync("end"u8.ToArray(), Wait.Token());
        Assert.Equal("end", await Peer.ReadTextAsync(3));
    }

    private Task<int> BeginAsync() => Rig.DoAsync(() =>
    {
        var (_, number, isDrained) = Socket.ReleaseWatched();
        Rig.Reactor.BeginStream(number, _stream, isDrained: isDrained);
        _stream.Number = number;
        return number;
    });

    private Task<int> PauseAsync(int number) => Rig.DoAsync(() =>
    {
        Rig.Reactor.Pause(number);
        return 0;
    });

    private async Task TakeBackAsync()
    {
        await PauseAsync(_stream.Number);
        await Wait.UntilAsync(() => Rig.DoAsync(Socket.TryTakeBack));
    }

    private sealed class Handler(Reactor reactor) : IStreamHandler
    {
        private readonly Lock _lock = new();
        private readonly ArrayBufferWriter<byte> _all = new();
        private volatile bool _hasFinished;

        public int Number { get; set; }

        public bool HasFinished => _hasFinished;

        public int Bytes
        {
            get
            {
                lock (_lock) return _all.WrittenCount;
            }
        }

        public string Text
        {
            get
            {
                lock (_lock) return Encoding.ASCII.GetString(_all.WrittenSpan);
            }
        }

        public byte[] Take()
        {
            lock (_lock)
            {
                var all = _all.WrittenSpan.ToArray();
                _all.ResetWrittenCount();
                return all;
            }
        }

        public void Received(int socket, in Piece piece)
        {
            lock (_lock) _all.Write(piece.Bytes);
            if (piece.ComesInBulk) reactor.ReceiveInBulk(socket);
        }

        public void Finished(int socket) => _hasFinished = true;

        public void Spliced(int socket, int count)
        {
        }

        public void Stalled(int socket)
        {
        }

        public void Sent(int socket)
        {
        }

        public void Broken(int socket, Errno error)
        {
        }

        public void BrokenWhilePaused(int socket)
        {
        }

        public void Fail(int socket) => reactor.Close(socket, isReset: true);
    }

    public sealed class OnEpoll() : TakeBackTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : TakeBackTests(ReactorMode.IoUring);

    public sealed class OnOlderIoUring() : TakeBackTests(ReactorMode.IoUring, isOlder: true);
}
