using StickyWs.Kernel;

namespace StickyWs.Reactors;

// Receiving, and how a stream ends.
internal sealed unsafe partial class UringReactor
{
    private readonly List<int> _broken = [];

    // More than the kernel's own buffers absorb for a reader that never reads.
    private const uint FastFlow = 8 * 1024 * 1024;

    // Low enough that a large message repays the switch to separate receives, and high enough that small ones do not switch again and again.
    private const uint BulkFlow = 256 * 1024;

    // The most bytes that one multishot receive delivers before it is requested again; 0 if the kernel has no such limit.
    private uint _mostBytes;

    // The buffer that is being reported to a handler, until it is chained to a socket.
    private int _arrived = Piece.NoBuffer;

    public override void Pause(int socket)
    {
        ref var state = ref Sockets[socket];
        state.Flags |= SocketFlags.Paused;
        if (state.Target == SocketState.None) state.Flow = 0;
        if (state.Has(SocketFlags.Broken)) _broken.Add(socket); // The kernel will not report that again.
        Settle(socket);
    }

    public override void Resume(int socket)
    {
        Sockets[socket].Flags &= ~SocketFlags.Paused;
        Settle(socket);
    }

    // A poll reported something. A break is noted; a receive reports it once it gets there.
    protected override void Stream(int socket, ref SocketState state, uint events)
    {
        if ((events & EpollEvents.EPOLLERR) != 0)
        {
            NoteBreak(socket, ref state);
            TellBreak(socket, ref state);
        }
        else if (state.Has(SocketFlags.Bulk)) // Otherwise a mere hang-up, which may be an orderly end of both directions.
        {
            NoteReadable(ref state, events);
            if (!state.Has(SocketFlags.Queued)) PumpBulk(socket, ref state);
        }
    }

    protected override bool IsPumped(ref SocketState state) => state.Has(SocketFlags.Bulk) && WantsReceive(ref state);

    public override void Splice(int from, int to, int limit)
    {
        base.Splice(from, to, limit);
        BeginBulk(ref Sockets[from]);
        Settle(from);
    }

    public override void ReceiveInBulk(int socket)
    {
        BeginBulk(ref Sockets[socket]);
        Settle(socket);
    }

    private static void BeginBulk(ref SocketState state)
    {
        if (state.HasAny(SocketFlags.Bulk | SocketFlags.Broken | SocketFlags.Ended)) return;
        SocketOptions.SetCounted(state.Fd);
        state.Flags |= SocketFlags.Bulk | SocketFlags.Readable | SocketFlags.Ending;
        state.Flow = 0;
    }

    // Pieces received earlier go first. The poll changes when bulk receiving begins or ends.
    private void PumpBulk(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Receiving)) return; // Settled when the receive has completed.
        var generation = state.Generation;
        if (state.Target != SocketState.None && Sockets[state.Target].Pieces > 0) Enqueue(socket, ref state);
        else Pump(socket, ref state);
        if (state.Generation == generation) Settle(socket);
    }

    // From now on, what had arrived is received piece by piece until the error comes.
    private void NoteBreak(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Broken)) return;
        NoteBreak(ref state);
        state.Flags &= ~SocketFlags.Bulk;
        if (state.Has(SocketFlags.Receiving)) Cancel(Kind.Receive, SocketFlags.ReceiveEnds, socket, ref state);
        else Settle(socket);
    }

    private void TellBreak(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.EndHeld) && state.Target == SocketState.None) TellEnd(socket, ref state);
        else if (state.Has(SocketFlags.Ended) && !state.Has(SocketFlags.EndHeld)) state.Handler!.Broken(socket, state.Fault);
        else if (state.Has(SocketFlags.Paused)) state.Handler!.BrokenWhilePaused(socket);
    }

    // Deferred: when the break was found, the caller was busy with the other side.
    private void TellBreaks()
    {
        for (var i = 0; i < _broken.Count; i++)
        {
            ref var state = ref Sockets[_broken[i]];
            var isTold = state.HasAny(SocketFlags.Broken | SocketFlags.EndHeld) && state.Handler is not null && !state.Has(SocketFlags.Gone);
            if (isTold) TellGuarded(_broken[i]);
        }

        _broken.Clear();
    }

    // If the reader stalls, what two receives have delivered may have to be held: the second is requested together with the send of the first. A
    // receive may also overshoot by the rest of its last buffer. So the limit is less than half, unless nothing is forwarded and the reader has
    // proved fast.
    private uint MostBytes(ref SocketState state)
        => _mostBytes == 0 || (state.Target == SocketState.None && state.Flow >= FastFlow)
            ? _mostBytes
            : Math.Max(_mostBytes / 4, (_mostBytes / 2) - BufferSize);

    private void Received(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        var bytes = completion.Buffer >= 0 ? _buffers.Take(completion.Buffer, Math.Max(0, completion.Result)) : default;
        var isBulk = !completion.GoesOn && !state.Has(SocketFlags.ReceiveEnds) && state.Flow >= BulkFlow && bytes.Length == BufferSize;
        if (!completion.GoesOn)
        {
            state.Flags &= ~(SocketFlags.Receiving | SocketFlags.ReceiveEnds);
            if (Completes(socket, ref state))
            {
                if (completion.Buffer >= 0) _buffers.GiveBack(completion.Buffer);
                return;
            }
        }

        if (state.Flow < FastFlow) state.Flow += (uint)bytes.Length;
        CountReceived(ref state, bytes.Length);
        if (!bytes.IsEmpty) Tell(socket, ref state, new Piece(socket, bytes, completion.Buffer, isBulk));
        else if (completion.Buffer >= 0) _buffers.GiveBack(completion.Buffer);
        if (bytes.IsEmpty && !state.Has(SocketFlags.Gone)) EndOrStarve(socket, ref state, completion.Error);
        if (!completion.GoesOn) Settle(socket);
    }

    private void Tell(int socket, ref SocketState state, in Piece piece)
    {
        _arrived = piece.Buffer;
        try
        {
            if (!state.Has(SocketFlags.Gone)) state.Handler!.Received(socket, piece);
        }
        finally
        {
            if (_arrived != Piece.NoBuffer) _buffers.GiveBack(piece.Buffer);
            _arrived = Piece.NoBuffer;
        }
    }

    private void EndOrStarve(int socket, ref SocketState state, Errno error)
    {
        switch (error)
        {
            case Errno.ECANCELED or Errno.EINTR or Errno.EAGAIN:
                break; // Receive again, if it should be receiving.
            case Errno.EINVAL when _mostBytes > 0:
                _mostBytes = 0; // An older kernel without optlen. Receive again.
                break;
            case Errno.ENOBUFS:
                state.Flags |= SocketFlags.Starved;
                _starved.Add(socket);
                break;
            default:
                Ends(socket, ref state, error);
                break;
        }
    }

    // After an error, the poll for a break has nothing new to report, and would report the old over and over.
    protected override void Ends(int socket, ref SocketState state, Errno error)
    {
        state.Flags |= error == Errno.None ? SocketFlags.Ended : SocketFlags.Ended | SocketFlags.Broken;
        state.End = error;
        TellEnd(socket, ref state);
    }

    // Deferred until everything before the end is with the kernel.
    private void TellEnd(int socket, ref SocketState state)
    {
        if (state.Target != SocketState.None && !HasTaken(ref Sockets[state.Target]))
        {
            state.Flags |= SocketFlags.EndHeld;
            Sockets[state.Target].Flags |= SocketFlags.SourceWaits;
            if (state.Has(SocketFlags.Paused) && state.End != Errno.None) state.Handler!.BrokenWhilePaused(socket);
            return;
        }

        state.Flags &= ~SocketFlags.EndHeld;
        TellEnding(socket, ref state, state.End);
    }
}
