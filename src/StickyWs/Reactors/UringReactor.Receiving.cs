namespace StickyWs.Reactors;

// What is received, and how a stream ends.
internal sealed unsafe partial class UringReactor
{
    private const int NoBuffer = -1;

    private readonly List<int> _broken = [];

    // More than the kernel's buffers take up for a reader that never reads.
    private const uint FastFlow = 8 * 1024 * 1024;

    // Few enough that a large message pays for the change, and so many that small ones do not pay for it again and again.
    private const uint BulkFlow = 256 * 1024;

    // What one receive that goes on brings at most before it is asked for again; 0 where the kernel sets it no limit.
    private uint _mostBytes;

    // The buffer that the relay is being told of, unless it has been chained to a socket already.
    private int _arrived = NoBuffer;

    public override void Pause(int socket)
    {
        ref var state = ref Sockets[socket];
        state.Flags |= SocketFlags.Paused;
        if (state.Party is not null) state.Flow = 0;
        if (state.Has(SocketFlags.Broken)) _broken.Add(socket); // Nothing will report that again.
        Settle(socket);
    }

    public override void Resume(int socket)
    {
        Sockets[socket].Flags &= ~SocketFlags.Paused;
        Settle(socket);
    }

    // A poll has reported a break; a receive tells of it when it comes to it.
    protected override void Stream(int socket, ref SocketState state, uint events)
    {
        if ((events & EpollEvents.Error) != 0)
        {
            NoteBreak(socket, ref state);
            TellBreak(socket, ref state);
        }
        else if (state.Has(SocketFlags.Bulk)) // Else a mere hang-up, which may be an end in order, of both directions.
        {
            NoteReadable(ref state, events);
            if (!state.Has(SocketFlags.Queued)) PumpBulk(socket, ref state);
        }
    }

    protected override bool IsPumped(ref SocketState state) => state.Has(SocketFlags.Bulk) && WantsReceive(ref state);

    private void BeginBulk(int socket)
    {
        ref var state = ref Sockets[socket];
        if (state.Has(SocketFlags.Bulk | SocketFlags.Broken | SocketFlags.Ended)) return;
        state.Flags |= SocketFlags.Bulk | SocketFlags.Readable | SocketFlags.Ending;
        state.Flow = 0;
        Splice(socket);
    }

    // What was received before goes first. The poll for more is changed when bulk has begun or ended.
    private void PumpBulk(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Receiving)) return; // Settled when that has ended.
        var generation = state.Generation;
        if (Sockets[Relay.Other(socket)].Pieces > 0) Enqueue(socket, ref state);
        else Pump(socket, ref state);
        if (state.Generation == generation) Settle(socket);
    }

    // What had arrived is received piece by piece from now on, until the error comes.
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
        if (state.Has(SocketFlags.Ended) && !state.Has(SocketFlags.EndHeld)) PartyOf(ref state).Broken(socket, state.Fault);
        else if (state.Has(SocketFlags.Paused)) PartyOf(ref state).BrokenWhilePaused(socket);
    }

    // Later, for whoever saw them break was in the midst of the other side.
    private void TellBreaks()
    {
        for (var i = 0; i < _broken.Count; i++)
        {
            ref var state = ref Sockets[_broken[i]];
            if (state.Has(SocketFlags.Broken) && state.Has(SocketFlags.Streaming) && !state.Has(SocketFlags.Gone)) TellGuarded(_broken[i]);
        }

        _broken.Clear();
    }

    // What two receives have brought may be held for a reader that stalls, since the second is asked for together with the send of the first, and a receive may overshoot by the rest
    // of its last buffer. So it is less than half, but for the party of a socket of which the reader has shown that it is fast.
    private uint MostBytes(ref SocketState state)
        => _mostBytes == 0 || (state.Party is not null && state.Flow >= FastFlow) ? _mostBytes : Math.Max(_mostBytes / 4, (_mostBytes / 2) - BufferSize);

    private void Received(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        var bytes = completion.Buffer >= 0 ? _buffers.Take(completion.Buffer, Math.Max(0, completion.Result)) : default;
        var isBulk = !completion.GoesOn && !state.Has(SocketFlags.ReceiveEnds) && state.Party is null && state.Flow >= BulkFlow && bytes.Length == BufferSize;
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
        if (!bytes.IsEmpty) Tell(socket, ref state, completion.Buffer, bytes);
        else if (completion.Buffer >= 0) _buffers.GiveBack(completion.Buffer);
        if (bytes.IsEmpty && !state.Has(SocketFlags.Gone)) EndOrStarve(socket, ref state, completion.Error);
        if (isBulk && !state.Has(SocketFlags.Gone)) BeginBulk(socket);
        if (!completion.GoesOn) Settle(socket);
    }

    private void Tell(int socket, ref SocketState state, int buffer, ReadOnlySpan<byte> bytes)
    {
        _arrived = buffer;
        try
        {
            if (!state.Has(SocketFlags.Gone)) PartyOf(ref state).Received(socket, bytes);
        }
        finally
        {
            if (_arrived != NoBuffer) _buffers.GiveBack(buffer);
            _arrived = NoBuffer;
        }
    }

    private void EndOrStarve(int socket, ref SocketState state, Errno error)
    {
        switch (error)
        {
            case Errno.Canceled or Errno.Interrupted or Errno.Again:
                break; // To receive again, if it is to receive.
            case Errno.Invalid when _mostBytes > 0:
                _mostBytes = 0; // An older kernel. To receive again.
                break;
            case Errno.NoBuffers:
                state.Flags |= SocketFlags.Starved;
                _starved.Add(socket);
                break;
            default:
                Ends(socket, ref state, error);
                break;
        }
    }

    // Behind an error the poll for the break would have nothing more to tell, and would tell it again and again.
    protected override void Ends(int socket, ref SocketState state, Errno error)
    {
        state.Flags |= error == Errno.None ? SocketFlags.Ended : SocketFlags.Ended | SocketFlags.Broken;
        state.End = error;
        TellEnd(socket, ref state);
    }

    // Not before all that came before it is with the kernel.
    private void TellEnd(int socket, ref SocketState state)
    {
        if (state.Party is null && !HasTaken(ref Sockets[Relay.Other(socket)]))
        {
            state.Flags |= SocketFlags.EndHeld;
            if (state.Has(SocketFlags.Paused) && state.End != Errno.None) Relay.BrokenWhilePaused(socket);
            return;
        }

        state.Flags &= ~SocketFlags.EndHeld;
        TellEnding(socket, ref state, state.End);
    }
}
