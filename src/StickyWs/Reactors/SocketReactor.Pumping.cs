using StickyWs.Kernel;

namespace StickyWs.Reactors;

// Receives by calls of their own: of every stream on epoll, of those that come in bulk on io_uring. The kernel reports that there is something, and
// then they go on until there is nothing.
internal abstract unsafe partial class SocketReactor
{
    /// <summary>Receives in a row for one socket before others have their turn.</summary>
    private const int ReceivesPerTurn = 4;

    private const int LargePiece = 32 * 1024;
    private const int BulkScore = 8;

    // Messages are as large as a power of two, and their heads come on top: without room for these, a message would take two receives.
    private const int RoomForHeads = 1024;

    private readonly Queue<(int Socket, uint Generation)> _queue = new();

    // One buffer for all sockets: bytes stay in it only for the time of one call.
    private readonly byte* _buffer;
    private readonly int _bufferSize;

    /// <summary>Whether a socket waits for its turn.</summary>
    protected bool HasQueued => _queue.Count > 0;

    /// <summary>Whether more is to be received from a socket by calls of their own.</summary>
    protected virtual bool IsPumped(ref SocketState state) => !state.Has(SocketFlags.Paused);

    /// <summary>What follows from the end of a stream: in order, or by an error.</summary>
    protected abstract void Ends(int socket, ref SocketState state, Errno error);

    /// <summary>
    /// Takes note that a peer takes no more. What it had sent before may still wait to be received; behind it stands the error. That is told later,
    /// for the caller is in the midst of the other side.
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
            if (state.Has(SocketFlags.Readable)) Serve(socket, generation, state.Has(SocketFlags.Ending) ? EpollEvents.EPOLLIN | EpollEvents.EPOLLRDHUP : EpollEvents.EPOLLIN);
        }
    }

    /// <summary>Takes note of what the kernel has reported.</summary>
    protected static void NoteReadable(ref SocketState state, uint events)
    {
        state.Flags |= (events & EpollEvents.Ending) != 0 ? SocketFlags.Readable | SocketFlags.Ending : SocketFlags.Readable;
        if ((events & EpollEvents.EPOLLPRI) != 0) state.Flags = (state.Flags | SocketFlags.Urgent) & ~SocketFlags.Spliced;
    }

    /// <summary>Receives until the socket is drained, the other side cannot take more, or it is the others' turn.</summary>
    protected void Pump(int socket, ref SocketState state)
    {
        var generation = state.Generation;
        var before = 0; // What the receive before brought.
        for (var turns = ReceivesPerTurn; IsPumped(ref state); turns--)
        {
            if (turns == 0)
            {
                Enqueue(socket, ref state);
                return;
            }

            // What stands behind a splice that fell short is received: it is little or nothing, and a splice would not see it behind a mark of urgent data.
            if (state.Has(SocketFlags.Spliced) && (before == 0 || before == _bufferSize) && TrySplice(socket, ref state, ref before, out var goesOn))
            {
                if (!goesOn || state.Generation != generation) return;
                continue;
            }

            var received = Libc.Receive(state.Fd, _buffer, (nuint)_bufferSize, Libc.MSG_DONTWAIT);
            if (received <= 0)
            {
                if (EndsAt(socket, ref state, received == 0 ? Errno.None : Libc.Error)) return;
                continue;
            }

            // A short receive means drained (epoll(7)), unless the end, or a mark of urgent data, may stand right behind it.
            var isDrained = received < _bufferSize && !state.Has(SocketFlags.Ending | SocketFlags.Urgent | SocketFlags.Bulk);
            if (isDrained) state.Flags &= ~SocketFlags.Readable;
            if (received < WorthSplicing && before == 0) state.Flags &= ~SocketFlags.Bulk; // A rest is part of the bulk, however small it is.
            before = (int)received;
            state.Handler!.Received(socket, new Piece(socket, new ReadOnlySpan<byte>(_buffer, (int)received), comesInBulk: IsBulk(ref state, (int)received)));
            if (isDrained || state.Generation != generation) return;
        }
    }

    // Such a piece scores two, a small one takes one off: bulk often comes as a full buffer and a short rest.
    private static bool IsBulk(ref SocketState state, int received)
    {
        if (received >= LargePiece) state.Score += 2;
        else if (state.Score > 0) state.Score--;
        if (state.Score < BulkScore) return false;
        state.Score = 0;
        return true;
    }

    // Whether there is nothing (more) to receive now.
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
