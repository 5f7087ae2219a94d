using StickyWs.Kernel;

namespace StickyWs.Reactors;

internal sealed unsafe partial class EpollReactor
{
    public override void BeginStream(int socket, IStreamHandler handler, int place, bool isDrained)
    {
        ref var state = ref Sockets[socket];
        BeginStream(ref state, handler, place);
        if (!state.Has(SocketFlags.WatchesReceive))
        {
            WatchMore(socket, Signals.Readable); // Also reports what is already there.
        }
        else if (!isDrained)
        {
            state.Flags |= SocketFlags.Readable | SocketFlags.Ending;
            Enqueue(socket, ref state);
        }
    }

    public override bool TryEndStream(int socket, IWatcher watcher)
    {
        ref var state = ref Sockets[socket];
        if (!HasTaken(ref state)) return false;
        EndStream(ref state, watcher);
        lock (Registering)
        {
            // Also reports an end that the handler was told of.
            if (!IsReleased) _ = EpollEvents.Control(_epoll, Libc.EPOLL_CTL_MOD, state.Fd, EventsOf(state.Flags), Data(socket, state.Generation));
        }

        return true;
    }

    protected override void WatchRoom(int socket) => WatchMore(socket, Signals.Writable);

    public override bool Forward(int to, in Piece piece)
    {
        Link(piece.Socket, to);
        return Write(to, piece.Bytes);
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
        Unlink(socket);
        var fd = state.Fd;
        Forget(socket); // Before the kernel can give the descriptor number away again.
        SocketOptions.Close(fd, isReset);
    }

    protected override void Stream(int socket, ref SocketState state, uint events)
    {
        var generation = state.Generation;
        if ((events & EpollEvents.EPOLLOUT) != 0 && state.LeftoverLength > 0) Flush(socket, ref state);
        if ((events & EpollEvents.EPOLLOUT) != 0 && state.Has(SocketFlags.WantsRoom)) state.Handler!.Sent(socket);
        if ((events & (EpollEvents.EPOLLIN | EpollEvents.Ending)) == 0 || state.Generation != generation) return;
        NoteReadable(ref state, events);
        if ((events & EpollEvents.EPOLLERR) != 0) NoteBreak(ref state);
        if (!state.Has(SocketFlags.Queued)) Pump(socket, ref state);
        if (state.Generation != generation || !state.Has(SocketFlags.Paused) || !state.Has(SocketFlags.Broken)) return;
        state.Handler!.BrokenWhilePaused(socket);
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
        else FinishIfDue(ref state);
        state.Handler!.Sent(socket); // Even if the peer accepts nothing more: its source must still be received up to its end.
    }
}
