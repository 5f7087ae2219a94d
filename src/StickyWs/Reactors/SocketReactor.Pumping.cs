using StickyWs.Kernel;

namespace StickyWs.Reactors;

// Receiving with separate system calls: every stream on epoll, and streams with bulk data on io_uring. After the kernel has reported data, receive
// until there is none left.
internal abstract unsafe partial class SocketReactor
{
    /// <summary>How many receives one socket gets before the others have their turn.</summary>
    private const int ReceivesPerTurn = 4;

    private const int LargePiece = 32 * 1024;
    private const int BulkScore = 8;
    private const int AddedByLarge = 2;

    // Messages are often a power of two in size, plus frame headers. Without this room such a message would take two receives.
    private const int RoomForHeads = 1024;

    private readonly Queue<(int Socket, uint Generation)> _queue = new();

    // One buffer for all sockets: it holds bytes only during one call.
    private readonly byte* _buffer;
    private readonly int _bufferSize;
    private readonly CountedReceive _counted = new();

    /// <summary>Whether a socket is queued for its turn.</summary>
    protected bool HasQueued => _queue.Count > 0;

    /// <summary>Whether to go on receiving from a socket with separate calls.</summary>
    protected virtual bool IsPumped(ref SocketState state) => !state.Has(SocketFlags.Paused);

    /// <summary>Handles the end of a stream, in order or by an error.</summary>
    protected abstract void Ends(int socket, ref SocketState state, Errno error);

    /// <summary>
    /// Notes that a peer accepts no more. Its earlier data may still be waiting to be received, followed by the error. The handler is told later,
    /// since the caller is busy with the other side.
    /// </summary>
    protected abstract void BreakSend(int socket, ref SocketState state);

    protected void Enqueue(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Queued)) return;
        state.Flags |= SocketFlags.Queued;
        _queue.Enqueue((socket, state.Generation));
    }

    protected void ServeQueue()
    {
        for (var count = _queue.Count; count > 0; count--)
        {
            var (socket, generation) = _queue.Dequeue();
            ref var state = ref Sockets[socket];
            if (state.Generation != generation) continue;
            state.Flags &= ~SocketFlags.Queued;
            if (state.Has(SocketFlags.Readable)) Serve(socket, generation, EpollEvents.EPOLLIN);
        }
    }

    /// <summary>Notes what the kernel reported.</summary>
    protected static void NoteReadable(ref SocketState state, uint events)
    {
        state.Flags |= SocketFlags.Readable;
        if ((events & EpollEvents.Ending) != 0) state.Flags |= SocketFlags.Ending | SocketFlags.EndInSight;
        if ((events & EpollEvents.EPOLLPRI) != 0) state.Flags = (state.Flags | SocketFlags.Urgent) & ~SocketFlags.Spliced;
    }

    /// <summary>Receives until the socket is drained, the other side stalls, or other sockets are due.</summary>
    protected void Pump(int socket, ref SocketState state)
    {
        var generation = state.Generation;
        var before = 0; // The size of the previous receive.
        for (var turns = ReceivesPerTurn; IsPumped(ref state); turns--)
        {
            if (turns == 0)
            {
                Enqueue(socket, ref state);
                return;
            }

            // After a short splice, receive instead: little or nothing is left, and a splice cannot see data after an urgent mark. Near the end of a
            // stream too: its handler wants to see the last bytes.
            var maySplice = state.Has(SocketFlags.Spliced) && !state.Has(SocketFlags.EndInSight) && (before == 0 || before == _bufferSize);
            if (maySplice && TrySplice(socket, ref state, ref before, out var goesOn))
            {
                if (!goesOn || state.Generation != generation) return;
                continue;
            }

            var received = Receive(ref state, out var isEmpty);
            if (received <= 0)
            {
                if (EndsAt(socket, ref state, received == 0 ? Errno.None : Libc.Error)) return;
                continue;
            }

            var isDrained = isEmpty && !state.Has(SocketFlags.Ending);
            if (isDrained) state.Flags &= ~SocketFlags.Readable;
            if (received < WorthSplicing && before == 0) state.Flags &= ~SocketFlags.Bulk; // A remainder counts as bulk, however small.
            before = (int)received;
            CountReceived(ref state, (int)received);
            var piece = new Piece(socket, new ReadOnlySpan<byte>(_buffer, (int)received), comesInBulk: IsBulk(ref state, (int)received));
            state.Handler!.Received(socket, piece);
            if (isDrained || state.Generation != generation) return;
        }
    }

    // A short receive means that the kernel has no more (epoll(7)), unless an urgent mark may follow directly. For bulk on io_uring, where such a mark is
    // not reported, the kernel says what is left.
    private nint Receive(ref SocketState state, out bool isEmpty)
    {
        if (state.Has(SocketFlags.Bulk))
        {
            var counted = _counted.Receive(state.Fd, _buffer, _bufferSize, out var left);
            isEmpty = left == 0;
            return counted;
        }

        var received = Libc.Receive(state.Fd, _buffer, (nuint)_bufferSize, Libc.MSG_DONTWAIT);
        isEmpty = received < _bufferSize && !state.Has(SocketFlags.Urgent);
        return received;
    }

    // A large piece adds two, a small one takes one off: bulk data often comes as a full buffer and a short remainder.
    private static bool IsBulk(ref SocketState state, int received)
    {
        if (received >= LargePiece) state.Score += AddedByLarge;
        else if (state.Score > 0) state.Score--;
        if (state.Score < BulkScore) return false;
        state.Score = 0;
        return true;
    }

    // Whether there is nothing more to receive for now.
    private bool EndsAt(int socket, ref SocketState state, Errno error)
    {
        switch (error)
        {
            case Errno.EINTR:
                return false;
            case Errno.EAGAIN:
                state.Flags &= ~(SocketFlags.Readable | SocketFlags.Ending);
                return true;
            default:
                state.Flags &= ~SocketFlags.Readable;
                Ends(socket, ref state, error);
                return true;
        }
    }
}
