using StickyWs.Kernel;

namespace StickyWs.Reactors;

// What leaves the buffers: with the other socket's next send, or into that socket's leftover.
internal sealed unsafe partial class UringReactor
{
    // With this many pieces queued, nothing more is received for a socket until it has taken them. This bounds what is left over if it stalls.
    private const int MostPieces = 16;

    private readonly List<int> _dirty = [];
    private readonly List<(int Socket, IGatheredSend? Send)> _sending = [];
    private uint _sentUpTo;

    public override bool Forward(int to, in Piece piece)
    {
        Link(piece.Socket, to);
        ref var state = ref Sockets[to];
        return TryMove(ref state, piece.Bytes) ? HasRoomAfterPiece(to, ref state, piece.Socket) : Write(to, piece.Bytes);
    }

    public override bool Write(int to, ReadOnlySpan<byte> bytes)
    {
        ref var state = ref Sockets[to];
        return state.Pieces == 0 ? base.Write(to, bytes) : Append(to, bytes);
    }

    public override bool Append(int to, ReadOnlySpan<byte> bytes)
    {
        ref var state = ref Sockets[to];
        if (TryMove(ref state, bytes)) return HasRoomAfterPiece(to, ref state, state.Source);
        var gainsNothing = state.Pieces == 0 && (bytes.Length > BufferSize || _buffers.IsCrowded); // By a copy, if it is large.
        if (gainsNothing || state.LeftoverLength > 0 || state.Has(SocketFlags.SendBroken)) return base.Write(to, bytes);
        while (!bytes.IsEmpty)
        {
            var part = bytes[..Math.Min(bytes.Length, BufferSize)];
            Chain(ref state, _buffers.TakeOwn(part));
            bytes = bytes[part.Length..];
        }

        return HasRoomAfterPiece(to, ref state, state.Source);
    }

    // Sends bytes from the buffer in which they have just arrived. It is sent from only once, so a part of it is copied, unless it is the last.
    private bool TryMove(ref SocketState state, ReadOnlySpan<byte> bytes)
    {
        if (_arrived == Piece.NoBuffer || bytes.IsEmpty || state.LeftoverLength > 0 || state.Has(SocketFlags.SendBroken)) return false;
        ref var filled = ref _buffers[_arrived];
        var start = filled.Length - bytes.Length;
        fixed (byte* first = bytes)
        {
            if (start < 0 || first != _buffers.Start(_arrived) + start) return false;
        }

        (filled.Start, filled.Length) = (start, bytes.Length);
        Chain(ref state, _arrived);
        _arrived = Piece.NoBuffer;
        return true;
    }

    private bool HasRoomAfterPiece(int socket, ref SocketState state, int source)
    {
        MakeDirty(socket, ref state);
        if (state.Pieces < MostPieces) return true;
        state.Flags |= SocketFlags.IsFull;
        BeginBulkOf(source);
        return false;
    }

    private void BeginBulkOf(int source)
    {
        if (source != SocketState.None) BeginBulk(ref Sockets[source]);
    }

    // Sends what came for each socket since the last turn. A send counts as done when it is submitted; only a short send completes visibly, since
    // completions of sends would disturb the count that a turn waits for. Returns whether anything waits for a send to be done.
    private bool SendPieces()
    {
        if (!_ring.HasSubmitted(_sentUpTo)) return true; // What the kernel has not consumed must stay in place.
        var isAwaited = _starved.Count > 0; // Starved sockets wait for buffers, and nothing else might end the wait.
        _vectors.Clear(_buffers.InUse);
        foreach (var socket in _dirty)
        {
            ref var state = ref Sockets[socket];
            if (!state.Has(SocketFlags.IsDirty)) continue;
            state.Flags &= ~SocketFlags.IsDirty;
            SendPieces(socket, ref state);
            isAwaited |= state.HasAny(SocketFlags.SourceWaits | SocketFlags.IsFull | SocketFlags.FinishDue);
        }

        _dirty.Clear();
        isAwaited |= SendGathered();
        if (!_isEnding) Receive();
        _sentUpTo = _ring.Position;
        return isAwaited;
    }

    private ref Submission AskSend(Kind kind, int socket, ref SocketState state)
    {
        ref var send = ref Ask(UringOperation.IORING_OP_SEND, kind, socket);
        send.Fd = state.Fd;
        send.Flags = Submission.IOSQE_CQE_SKIP_SUCCESS;
        send.OperationFlags = Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT | Libc.MSG_WAITALL;
        state.Flags |= SocketFlags.IsSending;
        Track(ref state, 1);
        return ref send;
    }

    private void SendPieces(int socket, ref SocketState state)
    {
        ref var first = ref _buffers[state.FirstPiece];
        ref var send = ref AskSend(Kind.Send, socket, ref state);
        if (state.Pieces == 1)
        {
            send.Address = (ulong)(_buffers.Start(state.FirstPiece) + first.Start);
            send.Length = (uint)first.Length;
            state.Sending = first.Length;
        }
        else
        {
            send.Operation = UringOperation.IORING_OP_SENDMSG;
            send.Address = (ulong)_vectors.Add(_buffers, state.FirstPiece, state.Pieces, out state.Sending);
            send.Length = 1;
        }

        _sending.Add((socket, null));
    }

    // All short sends have been reported, so the others are done.
    private void ConcludeSends()
    {
        foreach (var (socket, send) in _sending)
        {
            var generation = Sockets[socket].Generation;
            try
            {
                ref var state = ref Sockets[socket];
                if (send is not null) Conclude(socket, ref state, send);
                else if (state.Has(SocketFlags.IsSending)) Sent(socket, new Completion { Result = state.Sending });
            }
#pragma warning disable CA1031 // The sender continues inside this call, and may be the application.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Failed(e);
                Fail(socket, generation);
            }
        }

        _sending.Clear();
        CancelGathered();
    }

    private void Sent(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        state.Flags &= ~SocketFlags.IsSending;
        if (state.Has(SocketFlags.Gone)) DropPieces(ref state);
        if (Completes(socket, ref state)) return;
        if (completion.Error is not (Errno.None or Errno.EAGAIN or Errno.EINTR))
        {
            DropPieces(ref state);
            NoteFault(ref state, completion.Error);
            BreakSend(socket, ref state);
            TellSent(socket, ref state);
            return;
        }

        if (completion.Result > 0) DropSent(ref state, completion.Result);
        var isShort = completion.Result >= 0 && completion.Result < state.Sending;
        if (isShort || completion.Error == Errno.EAGAIN) Stall(socket, ref state);
        else if (state.Pieces > 0) MakeDirty(socket, ref state);
        else TellSent(socket, ref state);
    }

    private void TellSent(int socket, ref SocketState state)
    {
        FinishIfDue(ref state);
        if (state.Has(SocketFlags.IsFull))
        {
            state.Flags &= ~SocketFlags.IsFull;
            state.Handler!.Sent(socket);
        }

        if (state.Has(SocketFlags.SourceWaits)) TellSource(socket, ref state);
    }

    // The source has ended, and its end waited for everything before it.
    private void TellSource(int socket, ref SocketState state)
    {
        state.Flags &= ~SocketFlags.SourceWaits;
        var source = state.Source;
        if (source == SocketState.None) return;
        ref var sourceState = ref Sockets[source];
        if (sourceState.Has(SocketFlags.EndHeld)) TellEnd(source, ref sourceState);
        Settle(source);
    }

    // The peer accepts no more for now. What is left moves out of the shared buffers, and nothing more is received for it.
    private void Stall(int socket, ref SocketState state)
    {
        while (state.Pieces > 0)
        {
            ref var piece = ref _buffers[state.FirstPiece];
            AddLeftover(ref state, new ReadOnlySpan<byte>(_buffers.Start(state.FirstPiece) + piece.Start, piece.Length));
            DropPiece(ref state);
        }

        state.Flags &= ~SocketFlags.IsFull;
        AwaitRoom(socket, ref state);
        var source = state.Source;
        if (_mostBytes == 0) BeginBulkOf(source); // An older kernel.
        state.Handler!.Stalled(socket);
        if (source == SocketState.None) return;
        ref var broken = ref Sockets[source];
        if (broken.End != Errno.None && broken.Has(SocketFlags.EndHeld)) broken.Handler!.BrokenWhilePaused(source);
    }

    private void HasRoom(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        if (!completion.GoesOn)
        {
            state.Flags &= ~(SocketFlags.AwaitsRoom | SocketFlags.RoomEnds);
            if (Completes(socket, ref state)) return;
        }

        if (state.Has(SocketFlags.Gone)) return;
        if (state.LeftoverLength == 0)
        {
            // The poll stays: a handler that still finds no room waits for the next change.
            if (state.Has(SocketFlags.WantsRoom)) state.Handler!.Sent(socket);
            return;
        }

        if (!Flush(ref state))
        {
            AwaitRoom(socket, ref state);
            return;
        }

        if (state.Has(SocketFlags.AwaitsRoom)) Cancel(Kind.Room, SocketFlags.RoomEnds, socket, ref state);
        var generation = state.Generation;
        if (state.Has(SocketFlags.SendBroken)) BreakSend(socket, ref state);
        else FinishIfDue(ref state);
        state.Handler!.Sent(socket); // Even if the peer accepts nothing more: its source must still be received up to its end.
        if (state.Generation == generation && state.Has(SocketFlags.SourceWaits)) TellSource(socket, ref state);
    }

    protected override void BreakSend(int socket, ref SocketState state)
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
        if (state.HasAny(SocketFlags.IsDirty | SocketFlags.IsSending)) return;
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
