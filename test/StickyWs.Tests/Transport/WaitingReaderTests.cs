using System.Buffers;
using System.IO.Pipelines;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public sealed class WaitingReaderTests
{
    private readonly Pipe _pipe = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
    private readonly Client _client = new();
    private readonly WaitingReader _reader;

    public WaitingReaderTests() => _reader = new WaitingReader(_pipe.Reader, _client);

    [Fact]
    public async Task ReadAsync_BytesThere_DoesNotWait()
    {
        await WriteAsync(10);
        var read = await _reader.ReadAsync(Wait.Token());
        _reader.AdvanceTo(read.Buffer.GetPosition(4));
        Assert.True(_reader.TryRead(out read));
        Assert.Equal(6, read.Buffer.Length);
        Assert.Empty(_client.Waits);
    }

    [Fact]
    public async Task ReadAsync_AfterSomeWereUsed_TellsHowMany()
    {
        var first = _reader.ReadAsync(Wait.Token()).AsTask();
        Assert.Equal([0L], _client.Waits);
        await WriteAsync(10);
        var read = await first;
        _reader.AdvanceTo(read.Buffer.GetPosition(4), read.Buffer.End);
        var second = _reader.ReadAsync(Wait.Token()).AsTask();
        Assert.Equal([0L, 4L], _client.Waits); // Six were looked at, and are still to be used.
        await WriteAsync(1);
        read = await second;
        Assert.Equal(7, read.Buffer.Length);
        _reader.AdvanceTo(read.Buffer.End);
        _ = _reader.ReadAsync(Wait.Token()).AsTask();
        Assert.Equal([0L, 4L, 11L], _client.Waits);
    }

    [Fact]
    public async Task Read_ThatTryReadHasMade_IsCounted()
    {
        await WriteAsync(5);
        Assert.True(_reader.TryRead(out var read));
        _reader.AdvanceTo(read.Buffer.End);
        Assert.False(_reader.TryRead(out _));
        _ = _reader.ReadAsync(Wait.Token()).AsTask();
        Assert.Equal([5L], _client.Waits);
    }

    // Of many pieces, and in the middle of one.
    [Fact]
    public async Task Advance_OverSegments_IsCounted()
    {
        for (var i = 0; i < 5; i++) await WriteAsync(4000);
        var read = await _reader.ReadAsync(Wait.Token());
        _reader.AdvanceTo(read.Buffer.GetPosition(13_001), read.Buffer.End);
        _ = _reader.ReadAsync(Wait.Token()).AsTask();
        Assert.Equal([13_001L], _client.Waits);
    }

    [Fact]
    public async Task ReadAsync_AtTheEnd_DoesNotWait()
    {
        await _pipe.Writer.CompleteAsync();
        Assert.True((await _reader.ReadAsync(Wait.Token())).IsCompleted);
        Assert.Empty(_client.Waits);
    }

    [Fact]
    public async Task Complete_WithAFailure_IsNoFailureOfTheWriter()
    {
        await _reader.CompleteAsync(new InvalidOperationException("the server's own"));
        Assert.True((await _pipe.Writer.FlushAsync(Wait.Token())).IsCompleted);
    }

    private async Task WriteAsync(int count)
    {
        _pipe.Writer.Write(new byte[count]);
        await _pipe.Writer.FlushAsync(Wait.Token());
    }

    private sealed class Client : IAppClient
    {
        public List<long> Waits { get; } = [];

        public void AppWaits(long taken) => Waits.Add(taken);

        public void AppBroke() => throw new NotSupportedException();
    }
}
