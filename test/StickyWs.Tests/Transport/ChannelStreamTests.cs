using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using StickyWs.Configuration;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>A connection to a backend, as an HTTP client sees it.</summary>
public abstract class ChannelStreamTests : IAsyncDisposable
{
    private readonly RelayRig _rig;
    private readonly Wire _peer;
    private readonly ChannelStream _stream;

    protected ChannelStreamTests(ReactorMode mode)
    {
        _rig = new RelayRig(mode);
        var (outer, fd) = _rig.Connect();
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        _stream = new ChannelStream(new RawSocket(_rig.Reactor, fd), new PipeOptions(useSynchronizationContext: false));
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _peer.DisposeAsync();
        await _rig.DisposeAsync();
    }

    [Fact]
    public async Task Read_TakesWhatFitsAndKeepsTheRest()
    {
        await _peer.WriteAsync("hello");
        var buffer = new byte[3];

        Assert.Equal(3, await _stream.ReadAsync(buffer, Wait.Token()));
        Assert.Equal("hel", Encoding.Latin1.GetString(buffer));
        Assert.Equal(2, await _stream.ReadAsync(buffer.AsMemory(), Wait.Token()));
        Assert.Equal("lo", Encoding.Latin1.GetString(buffer, 0, 2));
    }

    [Fact]
    public async Task Read_IntoNothing_WaitsUntilThereIsSomethingAndTakesNothing()
    {
        var waiting = _stream.ReadAsync(Memory<byte>.Empty, Wait.Token()).AsTask();
        await _rig.TurnAsync();
        Assert.False(waiting.IsCompleted);
        await _peer.WriteAsync("x");

        Assert.Equal(0, await waiting);
        Assert.Equal(1, await _stream.ReadAsync(new byte[1], Wait.Token()));
    }

    [Fact]
    public async Task Read_AtTheEnd_IsZeroAgainAndAgain()
    {
        await _peer.WriteAsync("x");
        await _peer.FinishAsync();

        Assert.Equal(1, await _stream.ReadAsync(new byte[9], Wait.Token()));
        Assert.Equal(0, await _stream.ReadAsync(new byte[9], Wait.Token()));
        Assert.Equal(0, await _stream.ReadAsync(new byte[9], Wait.Token()));
    }

    [Fact]
    public async Task Read_OfAnAnswerWithABreakBehindIt_IsTheAnswerAndThenTheBreak()
    {
        using (await _rig.HoldAsync())
        {
            await _peer.WriteAsync("HTTP/1.1 413");
            _peer.Reset();
        }

        var buffer = new byte[64];
        Assert.Equal(12, await _stream.ReadAtLeastAsync(buffer, 12, cancellationToken: Wait.Token()));
        await Assert.ThrowsAnyAsync<IOException>(() => _stream.ReadAsync(buffer.AsMemory(), Wait.Token()).AsTask());
        await Assert.ThrowsAnyAsync<IOException>(() => _stream.ReadAsync(buffer.AsMemory(), Wait.Token()).AsTask());
    }

    [Fact]
    public async Task Read_ThatIsCancelled_CanBeTriedAgain()
    {
        using var cancel = new CancellationTokenSource();
        var reading = _stream.ReadAsync(new byte[1], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);

        await _peer.WriteAsync("x");

        Assert.Equal(1, await _stream.ReadAsync(new byte[1], Wait.Token()));
    }

    [Fact]
    public async Task Dispose_EndsAReadThatWaitsAndTheConnectionInOrder()
    {
        var reading = _stream.ReadAsync(new byte[1], Wait.Token()).AsTask();

        await _stream.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _stream.ReadAsync(new byte[1].AsMemory(), Wait.Token()).AsTask());
        await Assert.ThrowsAsync<IOException>(async () => await _stream.WriteAsync(new byte[1], Wait.Token()));
        Assert.True(await _peer.EndsInOrderAsync());
    }

    [Fact]
    public async Task Dispose_WithBytesThatNobodyRead_GivesTheirMemoryBack()
    {
        using var pool = new CountingPool();
        var (outer, fd) = _rig.Connect();
        await using var peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
        var stream = new ChannelStream(new RawSocket(_rig.Reactor, fd), new PipeOptions(pool, useSynchronizationContext: false));
        await peer.WriteAsync(new byte[50_000]);
        await stream.ReadExactlyAsync(new byte[10_000], Wait.Token());
        Assert.NotEqual(0, pool.Rented);

        await stream.DisposeAsync();
        await stream.DisposeAsync();

        await Wait.UntilAsync(() => pool.Rented == 0);
    }

    [Fact]
    public async Task Read_OfAnAnswerThatEndsBeforeItsPeerBreaks_IsTheAnswerAndItsEnd()
    {
        using (await _rig.HoldAsync())
        {
            await _stream.WriteAsync("never read"u8.ToArray(), Wait.Token());
            await _peer.WriteAsync("all of it");
            await _peer.FinishAsync();
            await _peer.DisposeAsync(); // With bytes that it has not read: RST.
        }

        var whole = new MemoryStream();
        await _stream.CopyToAsync(whole, Wait.Token());
        Assert.Equal("all of it", Encoding.Latin1.GetString(whole.ToArray()));
    }

    [Fact]
    public async Task Write_InBothForms_Arrives()
    {
        await _stream.WriteAsync("a"u8.ToArray().AsMemory(), Wait.Token());
#pragma warning disable CA1835 // The form of old.
        await _stream.WriteAsync("xbx"u8.ToArray(), 1, 1, Wait.Token());
#pragma warning restore CA1835
        await _stream.FlushAsync(Wait.Token());

        Assert.Equal("ab", await _peer.ReadTextAsync(2));
    }

    [Fact]
    public void WhatItCannotDo_IsRefused()
    {
        Assert.Throws<NotSupportedException>(() => _stream.Read(new byte[1], 0, 1));
        Assert.Throws<NotSupportedException>(() => _stream.Write(new byte[1], 0, 1));
        Assert.Throws<NotSupportedException>(() => _stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => _stream.SetLength(0));
        Assert.Throws<NotSupportedException>(() => _stream.Length);
        Assert.Throws<NotSupportedException>(() => _stream.Position);
        Assert.Throws<NotSupportedException>(() => _stream.Position = 0);
        Assert.Equal((true, true, false), (_stream.CanRead, _stream.CanWrite, _stream.CanSeek));
    }

    private sealed class CountingPool : MemoryPool<byte>
    {
        private int _rented;

        public int Rented => Volatile.Read(ref _rented);

        public override int MaxBufferSize => Shared.MaxBufferSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Interlocked.Increment(ref _rented);
            return new Block(this, Shared.Rent(minBufferSize));
        }

        protected override void Dispose(bool disposing)
        {
            // It holds nothing itself.
        }

        private sealed class Block(CountingPool pool, IMemoryOwner<byte> inner) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory => inner.Memory;

            public void Dispose()
            {
                Interlocked.Decrement(ref pool._rented);
                inner.Dispose();
            }
        }
    }

    public sealed class OnEpoll() : ChannelStreamTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : ChannelStreamTests(ReactorMode.IoUring);
}
