using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using StickyWs.Kernel;
using StickyWs.Reactors;

namespace StickyWs.Transport;

// On the reactor's thread, where applications run if they opt in, all sends of a turn are one call. On any other a send is a system call of its own, unless
// the reactor has many of them: then small ones go through the outbox.
internal sealed partial class Channel : IGatheredSend, IValueTaskSource
{
    // Buffers that one call sends from; more take another call.
    private const int MostVectors = 16;

    private readonly Readiness _room = new(goesOnInPool: true);
    private ManualResetValueTaskSourceCore<bool> _gathering;
    private ReadOnlyMemory<byte> _gathered;
    private CancellationToken _cancellation;
    private MemoryHandle _pin;

    // The error of the first send that failed.
    private volatile Errno _fault;

    /// <summary>Sends all bytes. One caller at a time.</summary>
    /// <exception cref="IOException">The connection broke, or was closed.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty) return default;
        if (_tls is not null) return SealAndSendAsync(new ReadOnlySequence<byte>(bytes), cancellationToken);
        if (_reactor.IsCurrent && TryGather(bytes, cancellationToken)) return new ValueTask(this, _gathering.Version);
        var sent = PostOrSend(bytes.Span);
        return sent == bytes.Length ? default : SendRestAsync(new ReadOnlySequence<byte>(bytes[sent..]), cancellationToken);
    }

    /// <inheritdoc cref="SendAsync(ReadOnlyMemory{byte},CancellationToken)"/>
    public ValueTask SendAsync(in ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsSingleSegment) return SendAsync(bytes.First, cancellationToken);
        if (_tls is not null) return SealAndSendAsync(bytes, cancellationToken);
        var sent = TrySend(bytes);
        return sent == bytes.Length ? default : SendRestAsync(bytes.Slice(sent), cancellationToken);
    }

    /// <summary>Whether the kernel holds data for this end, a FIN or a break included, that the reactor may not have reported yet.</summary>
    public unsafe bool HasArrived
    {
        get
        {
            byte one;
            lock (_lock)
            {
                return _isClosed
                    || Libc.Receive(_fd, &one, 1, Libc.MSG_PEEK | Libc.MSG_DONTWAIT) >= 0
                    || Libc.Error is not (Errno.EAGAIN or Errno.EINTR);
            }
        }
    }

    bool IGatheredSend.IsAwaited => true;

    unsafe (nint Start, int Length) IGatheredSend.Bytes => ((nint)_pin.Pointer, _gathered.Length);

    void IGatheredSend.Done(int result)
    {
        _pin.Dispose();
        var bytes = _gathered;
        _gathered = default;
        if (result == bytes.Length) _gathering.SetResult(true);
        else if (result >= 0 || (Errno)(-result) is Errno.EAGAIN or Errno.EINTR) _ = FinishAsync(bytes[Math.Max(0, result)..]);
        else _gathering.SetException((Errno)(-result) == Errno.ECANCELED ? Closed() : Failed((Errno)(-result)));
    }

    void IValueTaskSource.GetResult(short token) => _gathering.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _gathering.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _gathering.OnCompleted(continuation, state, token, flags);

    private bool TryGather(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_isClosed || _outbox is { IsEmpty: false }) return false; // Closed: reported as by any other send.
        }

        if (!_reactor.TryGather(_socket, this)) return false;
        _gathering.Reset();
        (_gathered, _cancellation) = (bytes, cancellationToken);
        _pin = bytes.Pin();
        return true;
    }

    private async Task FinishAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await SendRestAsync(new ReadOnlySequence<byte>(bytes), _cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            _gathering.SetException(e);
            return;
        }

        _gathering.SetResult(true);
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

    private void AwaitRoom() => Run(() =>
    {
        lock (_lock)
        {
            if (_isClosed || _outbox is { IsEmpty: false }) return;
        }

        _reactor.AwaitRoom(_socket);
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

    private int PostOrSend(ReadOnlySpan<byte> bytes) => TryPost(bytes) ? bytes.Length : TrySend(bytes);

    private unsafe int TrySend(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes) return TrySend(start, bytes.Length, null);
    }

    // The channel owns the descriptor while the lock is held: it cannot be closed then.
    private unsafe int TrySend(byte* start, int length, MessageHeader* message)
    {
        lock (_lock)
        {
            while (!_isClosed)
            {
                if (_outbox is { Lost: not Errno.None } lost) throw Failed(lost.Lost);
                if (_outbox is { IsEmpty: false } && !FlushOutbox()) return 0;
                var sent = message is null
                    ? Libc.Send(_fd, start, (nuint)length, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT)
                    : Libc.SendMessage(_fd, message, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT);
                if (sent >= 0) return (int)sent;
                var error = Libc.Error;
                if (error == Errno.EAGAIN) return 0;
                if (error != Errno.EINTR) throw Failed(error);
            }
        }

        throw Closed();
    }

    private IOException Failed(Errno error)
    {
        if (_fault == Errno.None) _fault = error;
        return error.ToConnectionException();
    }

    private IOException Closed() => new("The connection was closed.", _reason);

    [InlineArray(MostVectors)]
    private struct Pins
    {
        private MemoryHandle _first;
    }
}
