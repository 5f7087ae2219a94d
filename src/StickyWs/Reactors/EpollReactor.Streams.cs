namespace StickyWs.Reactors;

internal sealed unsafe partial class EpollReactor
{
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
        return !state.Has(SocketFlags.SendBroken) && SendNow(socket, ref state, bytes);
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
        DropHeld(ref state);
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
        NoteReadable(ref state, events);
        if ((events & EpollEvents.Error) != 0) NoteBreak(ref state);
        if (!state.Has(SocketFlags.Queued)) Pump(socket, ref state);
        if (state.Generation == generation && state.Has(SocketFlags.Paused) && state.Has(SocketFlags.Broken)) PartyOf(ref state).BrokenWhilePaused(socket);
    }

    protected override void Ends(int socket, ref SocketState state, Errno error) => TellEnding(socket, ref state, error);

    protected override void BreakSend(int socket, ref SocketState state)
    {
        state.Flags |= SocketFlags.SendBroken | SocketFlags.Broken | SocketFlags.Readable | SocketFlags.Ending;
        Enqueue(socket, ref state);
    }

    private void Flush(int socket, ref SocketState state)
    {
        if (!Flush(ref state)) return;
        if (state.Has(SocketFlags.SendBroken)) BreakSend(socket, ref state);
        Relay.Sent(socket); // Also what nobody takes any more is received, lest it be in the way of the end.
    }
}
