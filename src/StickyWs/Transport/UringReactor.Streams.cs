using System.Buffers;

namespace StickyWs.Transport;

// The way of the bytes: from a buffer that the kernel filled to the other socket's next send.
internal sealed unsafe partial class UringReactor
{
    private const int NoBuffer = -1;

    private readonly List<int> _dirty = [];
    private readonly List<int> _sending = [];
    private readonly List<int> _broken = [];
    private uint _sentUpTo;

    // The buffer that the relay is being told of, unless it has been chained to a socket already.
    private int _arrived = NoBuffer;

    public override bool Send(int socket, ReadOnlySpan<byte> bytes)
    {
        ref var state = ref Sockets[socket];
        if (state.Has(SocketFlags.SendBroken)) return false;
        if (state.LeftoverLength > 0)
        {
            AddLeftover(ref state, bytes);
            return false;
        }

        Chain(ref state, _arrived);
        _arrived = NoBuffer;
        MakeDirty(socket, ref state);
        return true;
    }

    /// <summary>Nothing to do: the pieces of a turn go out in one send, which costs no more than splicing.</summary>
    public override void Splice(int socket)
    {
    }

    public override void Pause(int socket)
    {
        ref var state = ref Sockets[socket];
        state.Flags |= SocketFlags.Paused;
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
        if ((events & EpollEvents.Error) == 0) return; // A mere hang-up may be an end in order, of both directions.
        NoteBreak(socket, ref state);
        TellBreak(socket, ref state);
    }

    // What had arrived is received piece by piece from now on, until the error comes.
    private void NoteBreak(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Broken)) return;
        state.Flags |= SocketFlags.Broken;
        if (state.Has(SocketFlags.Receiving)) CancelReceive(socket, ref state);
    }

    private void TellBreak(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Ended) && !state.Has(SocketFlags.EndHeld)) Relay.Broken(socket, state.End);
        else if (state.Has(SocketFlags.Paused)) Relay.BrokenWhilePaused(socket);
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

    private void Received(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        var bytes = completion.Buffer >= 0 ? _buffers.Take(completion.Buffer, Math.Max(0, completion.Result)) : default;
        if (!completion.GoesOn)
        {
            state.Flags &= ~(SocketFlags.Receiving | SocketFlags.ReceiveEnds);
            if (Completes(socket, ref state))
            {
                if (completion.Buffer >= 0) _buffers.GiveBack(completion.Buffer);
                return;
            }
        }

        if (completion.Buffer >= 0) Tell(socket, ref state, completion.Buffer, bytes);
        else EndOrStarve(socket, ref state, completion.Error);
        if (!completion.GoesOn) Settle(socket);
    }

    private void Tell(int socket, ref SocketState state, int buffer, ReadOnlySpan<byte> bytes)
    {
        _arrived = buffer;
        try
        {
            if (!bytes.IsEmpty && !state.Has(SocketFlags.Gone)) Relay.Received(socket, bytes);
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
            case Errno.NoBuffers:
                state.Flags |= SocketFlags.Starved;
                _starved.Add(socket);
                break;
            default:
                state.Flags |= SocketFlags.Ended;
                state.End = error;
                TellEnd(socket, ref state);
                break;
        }
    }

    // Not before all that came before it is with the kernel.
    private void TellEnd(int socket, ref SocketState state)
    {
        ref var other = ref Sockets[Relay.Other(socket)];
        if (!HasTaken(ref other) && !other.Has(SocketFlags.SendBroken))
        {
            state.Flags |= SocketFlags.EndHeld;
            if (state.Has(SocketFlags.Paused) && state.End != Errno.None) Relay.BrokenWhilePaused(socket);
            return;
        }

        state.Flags &= ~SocketFlags.EndHeld;
        if (state.End == Errno.None && !state.Has(SocketFlags.SendBroken | SocketFlags.Broken)) Relay.Finished(socket); // Behind a FIN the kernel says 0 also of a break.
        else Relay.Broken(socket, state.End);
    }

    // Sends what has come for each socket since the last turn. A send is done when it is submitted, and only one that falls short completes with a word: it would
    // be one among the completions that a turn waits for. Whether anybody waits for a send to be done.
    private bool SendPieces()
    {
        if (!_ring.HasSubmitted(_sentUpTo)) return true; // What the kernel has not looked at yet must stay where it is.
        var isAwaited = _starved.Count > 0; // For the buffers, and it may be that nothing else would end the wait.
        _vectors.Clear();
        foreach (var socket in _dirty)
        {
            ref var state = ref Sockets[socket];
            if (!state.Has(SocketFlags.IsDirty)) continue;
            state.Flags &= ~SocketFlags.IsDirty;
            SendPieces(socket, ref state);
            isAwaited |= state.Has(SocketFlags.OtherWaits);
        }

        _dirty.Clear();
        _sentUpTo = _ring.Position;
        return isAwaited;
    }

    private void SendPieces(int socket, ref SocketState state)
    {
        ref var first = ref _buffers[state.FirstPiece];
        ref var send = ref Ask(UringOperation.Send, Kind.Send, socket);
        send.Fd = state.Fd;
        send.Flags = Submission.SilentOnSuccess;
        send.OperationFlags = Libc.NoSignal | Libc.DontWait | Libc.WaitAll;
        if (state.Pieces == 1)
        {
            send.Address = (ulong)(_buffers.Start(state.FirstPiece) + first.Start);
            send.Length = (uint)first.Length;
            state.Sending = first.Length;
        }
        else
        {
            send.Operation = UringOperation.SendMessage;
            send.Address = (ulong)_vectors.Add(_buffers, state.FirstPiece, state.Pieces, out state.Sending);
            send.Length = 1;
        }

        state.Flags |= SocketFlags.IsSending;
        Track(ref state, 1);
        _sending.Add(socket);
    }

    // All words of those that fell short were heard: the others are done.
    private void ConcludeSends()
    {
        if (_sending.Count == 0 || !_ring.HasSubmitted(_sentUpTo) || _ring.HasOverflown || _ring.Ready > 0) return;
        foreach (var socket in _sending)
        {
            ref var state = ref Sockets[socket];
            if (state.Has(SocketFlags.IsSending)) Sent(socket, new Completion { Result = state.Sending });
        }

        _sending.Clear();
    }

    private void Sent(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        state.Flags &= ~SocketFlags.IsSending;
        if (state.Has(SocketFlags.Gone)) DropPieces(ref state);
        if (Completes(socket, ref state)) return;
        if (completion.Error is not (Errno.None or Errno.Again or Errno.Interrupted))
        {
            DropPieces(ref state);
            BreakSend(socket, ref state);
            if (state.Has(SocketFlags.OtherWaits)) TellOther(socket, ref state);
            return;
        }

        if (completion.Result > 0) DropSent(ref state, completion.Result);
        if (completion.Result >= 0 && completion.Result < state.Sending || completion.Error == Errno.Again) Stall(socket, ref state);
        else if (state.Pieces > 0) MakeDirty(socket, ref state);
        else if (state.Has(SocketFlags.OtherWaits)) TellOther(socket, ref state);
    }

    // The other side waits for this one, to end or to be spliced.
    private void TellOther(int socket, ref SocketState state)
    {
        state.Flags &= ~SocketFlags.OtherWaits;
        var other = Relay.Other(socket);
        ref var otherState = ref Sockets[other];
        if (otherState.Has(SocketFlags.EndHeld)) TellEnd(other, ref otherState);
        Settle(other);
    }

    // Its peer takes no more now. What is left moves out of the buffers, which are everybody's, and nothing more is received for it.
    private void Stall(int socket, ref SocketState state)
    {
        while (state.Pieces > 0)
        {
            ref var piece = ref _buffers[state.FirstPiece];
            AddLeftover(ref state, new ReadOnlySpan<byte>(_buffers.Start(state.FirstPiece) + piece.Start, piece.Length));
            DropPiece(ref state);
        }

        AwaitRoom(socket);
        var other = Relay.Other(socket);
        Pause(other);
        ref var otherState = ref Sockets[other];
        if (otherState.Has(SocketFlags.EndHeld) && otherState.End != Errno.None) Relay.BrokenWhilePaused(other);
    }

    private void HasRoom(int socket)
    {
        ref var state = ref Sockets[socket];
        state.Flags &= ~SocketFlags.AwaitsRoom;
        if (Completes(socket, ref state) || state.LeftoverLength == 0) return;
        if (!FlushLeftover(ref state))
        {
            AwaitRoom(socket);
            return;
        }

        var generation = state.Generation;
        if (state.Has(SocketFlags.SendBroken)) BreakSend(socket, ref state);
        else Relay.Sent(socket);
        if (state.Generation == generation && state.Has(SocketFlags.OtherWaits)) TellOther(socket, ref state);
    }

    // What the broken peer had sent before is still to be received; behind it stands the error.
    private void BreakSend(int socket, ref SocketState state)
    {
        NoteBreak(socket, ref state);
        state.Flags |= SocketFlags.SendBroken;
        _broken.Add(socket);
    }

    private void Chain(ref SocketState state, int buffer)
    {
        if (state.Pieces++ == 0) state.FirstPiece = (ushort)buffer;
        else _buffers[state.LastPiece].Next = (ushort)buffer;
        state.LastPiece = (ushort)buffer;
    }

    private void MakeDirty(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.IsDirty | SocketFlags.IsSending)) return;
        state.Flags |= SocketFlags.IsDirty;
        _dirty.Add(socket);
    }

    private void DropSent(ref SocketState state, int count)
    {
        while (count > 0)
        {
            ref var piece = ref _buffers[state.FirstPiece];
            if (piece.Length > count)
            {
                piece.Start += count;
                piece.Length -= count;
                return;
            }

            count -= piece.Length;
            DropPiece(ref state);
        }
    }

    private void DropPieces(ref SocketState state)
    {
        while (state.Pieces > 0) DropPiece(ref state);
    }

    private void DropPiece(ref SocketState state)
    {
        var buffer = state.FirstPiece;
        state.FirstPiece = _buffers[buffer].Next;
        state.Pieces--;
        _buffers.GiveBack(buffer);
    }
}
