using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace StickyWs.Transport;

/// <summary>A connection to a backend on a reactor, as a stream for an HTTP client.</summary>
internal sealed class ChannelStream : AsyncStream, IChannelOwner
{
    private const int NobodyReads = 0;
    private const int SomebodyReads = 1;
    private const int NobodyWillRead = 2;

    private readonly Channel _channel;
    private int _reading;

    /// <param name="socket">A connected socket; owned by the stream from here on.</param>
    /// <param name="input">How much may be buffered, and where readers continue.</param>
    /// <exception cref="IOException">The kernel cannot watch another socket; the caller still owns it.</exception>
    public ChannelStream(RawSocket socket, PipeOptions input)
    {
        _channel = new Channel(socket, this, input, isReadToTheEnd: true);
        _channel.Start();
    }

    /// <summary>Whether there are unread bytes, or an unread end of the stream.</summary>
    public bool HasArrived => _channel.HasArrived;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Interlocked.CompareExchange(ref _reading, SomebodyReads, NobodyReads) == NobodyWillRead, this);
        var waits = false;
        try
        {
            if (_channel.Input.TryRead(out var read)) return ValueTask.FromResult(Take(read, buffer));
            waits = true;
            return WaitAndReadAsync(buffer, cancellationToken);
        }
        finally
        {
            if (!waits) FinishRead();
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _channel.SendAsync(buffer, cancellationToken);

    void IChannelOwner.InputEnded()
    {
        // The next read reports it.
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _channel.Close(new ObjectDisposedException(nameof(ChannelStream)), isReset: false);
            if (Interlocked.Exchange(ref _reading, NobodyWillRead) == NobodyReads) _channel.Input.Complete();
        }

        base.Dispose(disposing);
    }

    // After a dispose the unread memory returns to the pool, but not while it is being copied from.
    private void FinishRead()
    {
        if (Interlocked.CompareExchange(ref _reading, NobodyReads, SomebodyReads) == NobodyWillRead) _channel.Input.Complete();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAndReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return Take(await _channel.Input.ReadAsync(cancellationToken).ConfigureAwait(false), buffer);
        }
        finally
        {
            FinishRead();
        }
    }

    // A read with an empty buffer waits until there are bytes, and takes none.
    private int Take(ReadResult read, Memory<byte> buffer)
    {
        var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, buffer.Length));
        taken.CopyTo(buffer.Span);
        var length = (int)taken.Length;
        _channel.Input.AdvanceTo(taken.End);
        if (read is { IsCompleted: true, Buffer.IsEmpty: true } && _channel.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return length;
    }
}
