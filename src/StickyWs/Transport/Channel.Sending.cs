using System.Buffers;
using System.Runtime.CompilerServices;
using StickyWs.Reactors;

namespace StickyWs.Transport;

internal sealed partial class Channel
{
    // Places that one call sends from; more are worth one more call.
    private const int MostVectors = 16;

    private readonly Readiness _room = new(goesOnInPool: true);

    /// <summary>Sends all. One at a time.</summary>
    /// <exception cref="IOException">The connection broke, or was closed.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty) return default;
        var sent = TrySend(bytes.Span);
        return sent == bytes.Length ? default : SendRestAsync(new ReadOnlySequence<byte>(bytes[sent..]), cancellationToken);
    }

    /// <inheritdoc cref="SendAsync(ReadOnlyMemory{byte},CancellationToken)"/>
    public ValueTask SendAsync(in ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty) return default;
        var sent = TrySend(bytes);
        return sent == bytes.Length ? default : SendRestAsync(bytes.Slice(sent), cancellationToken);
    }

    private async ValueTask SendRestAsync(ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var sent = TrySend(bytes);
            bytes = bytes.Slice(sent);
            if (sent > 0) continue;
            AwaitRoom();
            await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void AwaitRoom() => _reactor.Run(() =>
    {
        if (!_isClosed) _reactor.AwaitRoom(_socket);
    });

    private unsafe int TrySend(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment) return TrySend(bytes.FirstSpan);
        var vectors = stackalloc IoVector[MostVectors];
        var pins = default(Pins);
        var count = 0;
        foreach (var piece in bytes)
        {
            if (count == MostVectors) break;
            if (piece.IsEmpty) continue;
            pins[count] = piece.Pin();
            vectors[count] = new IoVector { Start = (byte*)pins[count].Pointer, Length = (nuint)piece.Length };
            count++;
        }

        try
        {
            var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
            return TrySend(null, 0, &message);
        }
        finally
        {
            for (var i = 0; i < count; i++) pins[i].Dispose();
        }
    }

    private unsafe int TrySend(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes) return TrySend(start, bytes.Length, null);
    }

    // The descriptor is the channel's while the lock is held: it is closed by nobody then.
    private unsafe int TrySend(byte* start, int length, MessageHeader* message)
    {
        lock (_lock)
        {
            while (!_isClosed)
            {
                var sent = message is null
                    ? Libc.Send(_fd, start, (nuint)length, Libc.NoSignal | Libc.DontWait)
                    : Libc.SendMessage(_fd, message, Libc.NoSignal | Libc.DontWait);
                if (sent >= 0) return (int)sent;
                var error = Libc.Error;
                if (error == Errno.Again) return 0;
                if (error != Errno.Interrupted) throw error.ToConnectionException();
            }
        }

        throw new IOException("The connection was closed.", _reason);
    }

    [InlineArray(MostVectors)]
    private struct Pins
    {
        private MemoryHandle _first;
    }
}
