using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>Small sends that go out with the reactor's turn.</summary>
public sealed class OutboxTests : IAsyncDisposable
{
    private const int Large = 4 * 1024 * 1024;
    private const int Small = 1000;

    private readonly RelayRig _rig = RelayRig.ThatGathers();
    private readonly CountingPool _pool = new();
    private readonly ChannelWitness _owner = new();
    private readonly Wire _peer;
    private readonly Channel _channel;

    public OutboxTests()
    {
        var (outer, fd) = _rig.Connect();
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        _channel = new Channel(new RawSocket(_rig.Reactor, fd), _owner, new PipeOptions(_pool), isReadToTheEnd: false);
        _channel.Start();
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Close(new ObjectDisposedException("the test"), isReset: true);
        await _owner.Ended.WaitAsync(Wait.Bound);
        await _rig.DisposeAsync();
        await _channel.Input.CompleteAsync();
        await _peer.DisposeAsync();
        Assert.Equal(0, _pool.Rented);
    }

    [Fact]
    public async Task Sends_WhileTheReactorIsBusy_AreDone_AndArriveInOrder()
    {
        using (await _rig.HoldAsync())
        {
            foreach (var text in (string[])["one ", "two ", "three "]) Assert.True(SendAsync(text).IsCompletedSuccessfully);
            Assert.True(_channel.HasUnsent);
        }

        await SendAsync("four");

        Assert.Equal("one two three four", await _peer.ReadTextAsync("one two three four".Length));
        await Wait.UntilAsync(() => !_channel.HasUnsent);
    }

    [Theory]
    [InlineData(Outbox.Size)]
    [InlineData(Outbox.Size + 1)]
    [InlineData(Large)]
    public async Task Send_OfMoreThanFits_ComesAfterWhatWasSentBefore(int length)
    {
        var bytes = new byte[length + 100];
        new Content(1).Write(bytes, 0);
        var getting = AssertGetsAsync(bytes);
        using (await _rig.HoldAsync()) await _channel.SendAsync(bytes.AsMemory(0, 100), default);

        await _channel.SendAsync(bytes.AsMemory(100), Wait.Token());

        await getting;
    }

    // What is with the kernel at the time of the next send must not be overtaken by it.
    [Fact]
    public async Task Sends_OfAllSizes_KeepTheirOrder()
    {
        var (random, bytes) = (new Random(2), new byte[Large]);
        new Content(1).Write(bytes, 0);
        var getting = AssertGetsAsync(bytes);
        for (var at = 0; at < bytes.Length;)
        {
            var next = bytes.AsMemory(at, Math.Min(bytes.Length - at, random.Next(1, random.Next(3) == 0 ? 100_000 : 2_000)));
            if (random.Next(4) == 0) await await _rig.DoAsync(() => _channel.SendAsync(next, Wait.Token()).AsTask());
            else await _channel.SendAsync(next, Wait.Token());
            at += next.Length;
        }

        await getting;
    }

    [Fact]
    public async Task Close_InOrder_ComesAfterAllThatWasSent()
    {
        using (await _rig.HoldAsync())
        {
            await SendAsync("all");
            _channel.Close(new ConnectionAbortedException(), isReset: false);
        }

        Assert.Equal("all", await _peer.ReadTextToEndAsync());
    }

    // The send is with the reactor, and not with the kernel, when the channel is closed.
    [Fact]
    public async Task Close_InOrder_InTheTurnOfASend_ComesAfterIt()
    {
        using (await _rig.HoldAsync())
        {
            await SendAsync("all");
            _rig.Reactor.Run(() => _channel.Close(new ConnectionAbortedException(), isReset: false));
        }

        Assert.Equal("all", await _peer.ReadTextToEndAsync());
    }

    [Fact]
    public async Task Close_InOrder_BeforeASlowReader_LosesNothing()
    {
        var sent = await FillAsync();

        _channel.Close(new ConnectionAbortedException(), isReset: false);

        Assert.InRange((await _peer.ReadToEndAsync()).Length, sent, sent + Small - 1); // The last send may have been cut.
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Close_BeforeAReaderThatBreaks_LeavesNothing(bool isReset)
    {
        var sockets = await _rig.DoAsync(() => _rig.Reactor.Count);
        await FillAsync();

        _channel.Close(new ConnectionAbortedException(), isReset);
        _peer.Reset();

        await Wait.UntilAsync(async () => await _rig.DoAsync(() => _rig.Reactor.Count) < sockets);
    }

    // It would look like a response that ends there.
    [Fact]
    public async Task Close_InOrder_AfterBytesWereLost_IsAReset()
    {
        using (await _rig.HoldAsync())
        {
            await SendAsync("lost");
            ((IGatheredSend)Field<Outbox>("_outbox")).Done(-(int)Errno.ENOMEM);
        }

        await Assert.ThrowsAsync<IOException>(() => SendAsync("x"));
        _channel.Close(new ConnectionAbortedException(), isReset: false);

        await Assert.ThrowsAsync<IOException>(() => _peer.ReadToEndAsync());
    }

    [Fact]
    public async Task Send_AfterABreak_Fails()
    {
        _peer.Reset();

        await Wait.UntilAsync(async () =>
        {
            try
            {
                await SendAsync("x");
                return false;
            }
            catch (IOException)
            {
                return true;
            }
        });
    }

    [Fact]
    public async Task ReactorsEnd_WithABlockedSend_LeavesNothing()
    {
        await FillAsync();

        _rig.Stop();

        await Assert.ThrowsAsync<IOException>(() => SendAsync("x"));
    }

    [Fact]
    public void Reactor_GathersWhileTurnsHaveSeveralSends()
    {
        using var reactor = new UringReactor(0, exception => Assert.Fail(exception.ToString()));
        reactor.Start();

        for (var turns = 0; turns < 15; turns++) Assert.False(Sends(reactor, 2));
        Sends(reactor, 2);
        Assert.True(Sends(reactor, 2));
        for (var turns = 0; turns < 7; turns++) Assert.True(Sends(reactor, 1));
        Sends(reactor, 1);
        Assert.False(Sends(reactor, 1));
    }

    private T Field<T>(string name)
        => (T)typeof(Channel).GetField(name, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.GetValue(_channel)!;

    private static bool Sends(UringReactor reactor, int count)
    {
        var gathers = true;
        using var isOver = new ManualResetEventSlim();
        using var isHeld = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        reactor.Run(() =>
        {
            isHeld.Set();
            goesOn.Wait(Wait.Bound);
            reactor.Run(() => { });
        });
        isHeld.Wait(Wait.Bound);
        for (; count > 0; count--) gathers &= reactor.GathersSend();
        goesOn.Set();
        for (var turns = 0; turns < 3; turns++)
        {
            isOver.Reset();
            reactor.Run(isOver.Set);
            Assert.True(isOver.Wait(Wait.Bound));
        }

        return gathers;
    }

    private Task SendAsync(string text) => _channel.SendAsync(System.Text.Encoding.ASCII.GetBytes(text), Wait.Token()).AsTask();

    private async Task AssertGetsAsync(byte[] bytes)
    {
        var got = new byte[bytes.Length];
        for (var at = 0; at < got.Length;)
        {
            var count = await _peer.ReadAsync(got.AsMemory(at));
            Assert.NotEqual(0, count);
            at += count;
        }

        Assert.Equal(bytes, got);
    }

    // Small sends until one has to wait for room. Returns how many bytes were sent.
    private async Task<int> FillAsync()
    {
        var bytes = new byte[Small];
        for (var sent = 0; ; sent += bytes.Length)
        {
            using var cancel = new CancellationTokenSource();
            var sending = _channel.SendAsync(bytes, cancel.Token).AsTask();
            for (var turns = 0; turns < 5 && !sending.IsCompleted; turns++) await _rig.TurnAsync();
            if (!sending.IsCompleted) await cancel.CancelAsync();
            try
            {
                await sending;
                continue;
            }
            catch (OperationCanceledException)
            {
                return sent;
            }
        }
    }

    private sealed class CountingPool : MemoryPool<byte>
    {
        private int _rented;

        public int Rented => Volatile.Read(ref _rented);

        public override int MaxBufferSize => Shared.MaxBufferSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Interlocked.Increment(ref _rented);
            return new Owner(this, Shared.Rent(minBufferSize));
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Owner(CountingPool pool, IMemoryOwner<byte> inner) : IMemoryOwner<byte>
        {
            private IMemoryOwner<byte>? _inner = inner;

            public Memory<byte> Memory => _inner!.Memory;

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _inner, null) is not { } owner) return;
                owner.Dispose();
                Interlocked.Decrement(ref pool._rented);
            }
        }
    }
}
