namespace StickyWs.Reactors;

internal sealed unsafe partial class EpollReactor
{
    /// <summary>Receives in a row for one socket before others have their turn.</summary>
    private const int ReceivesPerTurn = 4;

    public override void BeginStream(int socket, int place, bool isDrained)
    {
        ref var state = ref Sockets[socket];
        state.Place = place;
        state.Party = null;
        Begin(socket, ref state, isDrained);
    }

    public override void BeginStream(int socket, ICompletions party)
    {
        ref var state = ref Sockets[socket];
        state.Party = party;
        Begin(socket, ref state, isDrained: false);
    }

    public override void AwaitRoom(int socket) => WatchMore(socket, Signals.Writable);

    private void Begin(int socket, ref SocketState state, bool isDrained)
    {
        state.Flags |= SocketFlags.Streaming;
        if (!state.Has(SocketFlags.WatchesReceive))
        {
            WatchMore(socket, Signals.Readable); // Reports what is there already.
        }
        else if (!isDrained)
        {
            state.Flags |= SocketFlags.Readable | SocketFlags.Ending;
            Enqueue(socket, ref state);
        }
    }

    public override bool Send(int socket, ReadOnlySpan<byte> bytes)
    {
        ref var state = ref Sockets[socket];
        if (state.Has(SocketFlags.SendBroken)) return false;
        var sent = TrySend(ref state, bytes);
        if (sent == bytes.Length) return true;
        if (sent < 0)
        {
            BreakSend(socket, ref state);
            return false;
        }

        AddLeftover(ref state, bytes[sent..]);
        WatchMore(socket, Signals.Writable);
        return false;
    }

    public override void Pause(int socket) => Sockets[socket].Flags |= SocketFlags.Paused;

    public override void Resume(int socket)
    {
        ref var state = ref Sockets[socket];
        state.Flags &= ~SocketFlags.Paused;
        if (state.Has(SocketFlags.Readable)) Enqueue(socket, ref state);
    }

    public override void Close(int socket, bool isReset)
    {
        ref var state = ref Sockets[socket];
        DropLeftover(ref state);
        if (state.Pipe is { } pipe) _pipes.Discard(pipe);
        var fd = state.Fd;
        Forget(socket); // Before the descriptor can be another's.
        SocketOptions.Close(fd, isReset);
    }

    protected override void Stream(int socket, ref SocketState state, uint events)
    {
        var generation = state.Generation;
        if ((events & EpollEvents.Out) != 0 && state.LeftoverLength > 0) Flush(socket, ref state);
        if ((events & EpollEvents.Out) != 0 && state.Party is not null) PartyOf(ref state).Sent(socket);
        if ((events & (EpollEvents.In | EpollEvents.Ending)) == 0 || state.Generation != generation) return;
        state.Flags |= (events & EpollEvents.Ending) != 0 ? SocketFlags.Readable | SocketFlags.Ending : SocketFlags.Readable;
        if ((events & EpollEvents.Error) != 0) NoteBreak(ref state);
        if ((events & EpollEvents.Urgent) != 0) state.Flags = (state.Flags | SocketFlags.Urgent) & ~SocketFlags.Spliced;
        if (state.Has(SocketFlags.Paused) && state.Has(SocketFlags.Broken)) PartyOf(ref state).BrokenWhilePaused(socket);
        else if (!state.Has(SocketFlags.Queued)) Pump(socket, ref state);
    }

    // Receives until the socket is drained, the other side cannot take more, or it is the others' turn.
    private void Pump(int socket, ref SocketState state)
    {
        var generation = state.Generation;
        for (var turns = ReceivesPerTurn; !state.Has(SocketFlags.Paused); turns--)
        {
            if (turns == 0)
            {
                Enqueue(socket, ref state);
                return;
            }

            if (state.Has(SocketFlags.Spliced) && TrySplice(socket, ref state, out var goesOn))
            {
                if (!goesOn || state.Generation != generation) return;
                continue;
            }

            var received = Libc.Receive(state.Fd, _buffer, (nuint)_bufferSize, Libc.DontWait);
            if (received <= 0)
            {
                if (EndsAt(socket, ref state, received == 0 ? Errno.None : Libc.Error)) return;
                continue;
            }

            // A short receive means drained (epoll(7)), unless the end, or a mark of urgent data, may stand right behind it.
            var isDrained = received < _bufferSize && !state.Has(SocketFlags.Ending | SocketFlags.Urgent);
            if (isDrained) state.Flags &= ~SocketFlags.Readable;
            PartyOf(ref state).Received(socket, new ReadOnlySpan<byte>(_buffer, (int)received));
            if (isDrained || state.Generation != generation) return;
        }

        // It broke before it was paused, and nothing will report that again.
        if (state.Has(SocketFlags.Broken)) PartyOf(ref state).BrokenWhilePaused(socket);
    }

    // Whether there is nothing (more) to receive now.
    private bool EndsAt(int socket, ref SocketState state, Errno error)
    {
        switch (error)
        {
            case Errno.Interrupted:
                return false;
            case Errno.Again:
                state.Flags &= ~(SocketFlags.Readable | SocketFlags.Ending);
                return true;
            default:
                state.Flags &= ~SocketFlags.Readable;
                TellEnding(socket, ref state, error);
                return true;
        }
    }

    private void Flush(int socket, ref SocketState state)
    {
        if (state.Pipe is not null ? !FlushPipe(ref state) : !FlushLeftover(ref state)) return;
        if (state.Has(SocketFlags.SendBroken)) BreakSend(socket, ref state);
        Relay.Sent(socket); // Also what nobody takes any more is received, lest it be in the way of the end.
    }

    // What the broken peer had sent before may still wait to be received; behind it stands the error. Later, for the caller is in the midst of the other side.
    private void BreakSend(int socket, ref SocketState state)
    {
        state.Flags |= SocketFlags.SendBroken | SocketFlags.Broken | SocketFlags.Readable | SocketFlags.Ending;
        Enqueue(socket, ref state);
    }

    private void Enqueue(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.Queued)) return;
        state.Flags |= SocketFlags.Queued;
        _queue.Enqueue((socket, state.Generation));
    }

    private void ServeQueue()
    {
        for (var count = _queue.Count; count > 0; count--)
        {
            var (socket, generation) = _queue.Dequeue();
            ref var state = ref Sockets[socket];
            if (state.Generation != generation) continue;
            state.Flags &= ~SocketFlags.Queued;
            if (state.Has(SocketFlags.Readable)) Serve(socket, generation, state.Has(SocketFlags.Ending) ? EpollEvents.In | EpollEvents.PeerFinished : EpollEvents.In);
        }
    }
}
