using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Reactors;

// Which operations are with the kernel: asked for, cancelled, and counted until each has completed for the last time.
internal sealed unsafe partial class UringReactor
{
    private const uint IORING_ASYNC_CANCEL_ALL = 1 << 0;
    private const uint IORING_ASYNC_CANCEL_ANY = 1 << 2;

    // The kernel reports these whether it was asked to or not; here they make a poll that wants nothing else differ from none.
    private const uint PollBroken = EpollEvents.EPOLLERR | EpollEvents.EPOLLHUP;

    private readonly List<int> _starved = [];
    private readonly List<int> _unpolled = [];
    private readonly List<(int Socket, uint Generation)> _asking = [];
    private bool _isEnding;

    private bool Wait(int milliseconds)
    {
        try
        {
            if (milliseconds == 0) _ring.Enter(0, 0);
            else _ring.Enter(_patience.Wanted, _patience.Wanted > 1 ? Patience.Longest : milliseconds * 1000L);
        }
        catch (IOException e)
        {
            GiveUp(e);
            return false;
        }

        if (!_ring.HasLost) return true;
        GiveUp(new IOException("io_uring lost completions: the kernel has no memory."));
        AwaitWake();
        return true;
    }

    // Nobody can say any more where the bytes of a tunnel are, nor who is still watched.
    private void GiveUp(IOException reason)
    {
        Report(reason);
        EndStreams(EndReason.Failed);
        TellAllBlind();
    }

    /// <summary>Has with the kernel what the socket's state asks for.</summary>
    private void Settle(int socket)
    {
        ref var state = ref Sockets[socket];
        if (_isEnding || state.Has(SocketFlags.Gone) || Volatile.Read(ref state.Fd) < 0) return;
        if (state.Has(SocketFlags.Streaming)) SettleReceive(socket, ref state);
        var events = EventsOf(ref state);
        if (events == state.Polled) return;
        if (state.Polled == 0) Poll(socket, ref state, events);
        else Cancel(Kind.Poll, SocketFlags.PollEnds, socket, ref state);
    }

    private void SettleReceive(int socket, ref SocketState state)
    {
        var wants = WantsReceive(ref state);
        var isBulk = state.Has(SocketFlags.Bulk);
        if (state.Has(SocketFlags.Receiving))
        {
            if (!wants || isBulk) Cancel(Kind.Receive, SocketFlags.ReceiveEnds, socket, ref state);
        }
        else if (wants)
        {
            if (!isBulk) AskReceive(socket, ref state);
            else if (state.Has(SocketFlags.Readable)) Enqueue(socket, ref state);
        }
    }

    private void AskReceive(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.AsksReceive)) return;
        state.Flags |= SocketFlags.AsksReceive;
        _asking.Add((socket, state.Generation));
    }

    // Behind the sends: one that falls short is heard of before what the next receive brings, and keeps that from being followed by another.
    private void Receive()
    {
        foreach (var (socket, generation) in _asking)
        {
            ref var state = ref Sockets[socket];
            if (state.Generation != generation) continue;
            state.Flags &= ~SocketFlags.AsksReceive;
            if (WantsReceive(ref state) && !state.Has(SocketFlags.Receiving | SocketFlags.Bulk)) Receive(socket, ref state);
            else if (state.Has(SocketFlags.Bulk)) Settle(socket);
        }

        _asking.Clear();
    }

    private static bool WantsReceive(ref SocketState state) => !state.Has(SocketFlags.Paused | SocketFlags.Ended | SocketFlags.Starved);

    // A stream is watched for a break, too: nothing may be received from it for a while, and a receive that goes on by itself sleeps behind the last
    // bytes of a connection that broke right behind them, since it was woken for both at once.
    private static uint EventsOf(ref SocketState state) => state switch
    {
        _ when !state.Has(SocketFlags.Streaming) => EpollEvents.EPOLLRDHUP | PollBroken
            | (state.Has(SocketFlags.WatchesReceive) ? EpollEvents.EPOLLIN : 0) | (state.Has(SocketFlags.WatchesSend) ? EpollEvents.EPOLLOUT : 0),
        _ when state.Has(SocketFlags.Broken) => 0,
        _ when state.Has(SocketFlags.Bulk) => EpollEvents.EPOLLIN | EpollEvents.EPOLLRDHUP | PollBroken,
        _ => (state.Polled & ~EpollEvents.EPOLLRDHUP) == PollBroken ? state.Polled : PollBroken, // One that tells of a FIN besides may stay.
    };

    protected override bool HasTaken(ref SocketState state) => base.HasTaken(ref state) && (state.Pieces == 0 || state.Has(SocketFlags.SendBroken));

    protected override int Pending(ref SocketState state)
    {
        var pending = state.LeftoverLength;
        var buffer = state.FirstPiece;
        for (var left = state.Pieces; left > 0; left--)
        {
            pending += _buffers[buffer].Length;
            buffer = _buffers[buffer].Next;
        }

        return pending;
    }

    private void Polled(int socket, Completion completion)
    {
        ref var state = ref Sockets[socket];
        if (!completion.GoesOn)
        {
            state.Polled = 0;
            state.Flags &= ~SocketFlags.PollEnds;
            if (Completes(socket, ref state)) return;
        }

        if (completion.Error is not (Errno.None or Errno.ECANCELED) && !state.Has(SocketFlags.Streaming)) Blind(socket, ref state);
        if (completion.Result > 0 && !state.Has(SocketFlags.Gone)) Serve(socket, state.Generation, (uint)completion.Result);
        if (completion is { GoesOn: false, Result: > 0 }) _unpolled.Add(socket);
        else Settle(socket);
    }

    // The kernel does not watch it any more, for want of memory or since it is no socket. Whoever watches it is told, unless he has let go of it.
    private void Blind(int socket, ref SocketState state)
    {
        if (Interlocked.Exchange(ref state.Fd, -1) >= 0) Serve(socket, state.Generation, EpollEvents.EPOLLIN | EpollEvents.EPOLLOUT | EpollEvents.Ending);
    }

    // A poll that goes on was ended because the ring was full. Armed anew it reports at once what it has reported, so while the ring is full that
    // would keep it full.
    private void PollAgain()
    {
        if (_unpolled.Count == 0 || _ring.HasOverflown) return;
        foreach (var socket in _unpolled) Settle(socket);
        _unpolled.Clear();
    }

    private void Receive(int socket, ref SocketState state)
    {
        ref var receive = ref Ask(UringOperation.IORING_OP_RECV, Kind.Receive, socket);
        receive.Fd = state.Fd;
        receive.Flags = Submission.IOSQE_BUFFER_SELECT;
        if (!state.Has(SocketFlags.Broken)) (receive.Options, receive.MostBytes) = (Submission.IORING_RECV_MULTISHOT, MostBytes(ref state));
        receive.BufferGroup = UringBuffers.Group;
        state.Flags |= SocketFlags.Receiving;
        Track(ref state, 1);
    }

    private void Poll(int socket, ref SocketState state, uint events)
    {
        Poll(Kind.Poll, socket, state.Fd, events);
        state.Polled = (ushort)events; // Those of a poll fit.
        Track(ref state, 1);
    }

    private void Poll(Kind kind, int socket, int fd, uint events)
    {
        ref var poll = ref Ask(UringOperation.IORING_OP_POLL_ADD, kind, socket);
        poll.Fd = fd;
        poll.OperationFlags = events;
        poll.Length = Submission.IORING_POLL_ADD_MULTI;
    }

    protected override void WatchRoom(int socket)
    {
        if (!_isEnding) AwaitRoom(socket, ref Sockets[socket]); // The ring may be gone; whoever waits is told of the stream's end.
    }

    // One that goes on, and so reports a change: memory may be short in the kernel while there is room in the socket.
    private void AwaitRoom(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.AwaitsRoom)) return;
        Poll(Kind.Room, socket, state.Fd, EpollEvents.EPOLLOUT);
        state.Flags |= SocketFlags.AwaitsRoom;
        Track(ref state, 1);
    }

    // Once; the flag says that it was asked for.
    private void Cancel(Kind kind, SocketFlags ends, int socket, ref SocketState state)
    {
        if (state.Has(ends)) return;
        state.Flags |= ends;
        ref var cancel = ref Ask(UringOperation.IORING_OP_ASYNC_CANCEL, Kind.Quiet, socket);
        cancel.Flags = Submission.IOSQE_CQE_SKIP_SUCCESS;
        cancel.Address = Data(kind, socket);
    }

    private void Track(ref SocketState state, int change)
    {
        state.Operations = (byte)(state.Operations + change);
        Operations += change;
    }

    /// <summary>Lets go of a socket: what is with the kernel is cancelled, and its place is free when that is done.</summary>
    private void Abandon(int socket, ref SocketState state)
    {
        state.Generation++;
        state.Flags = (state.Flags & ~SocketFlags.IsDirty) | SocketFlags.Gone;
        (state.Watcher, state.Handler) = (null, null);
        if (state.Has(SocketFlags.Receiving)) Cancel(Kind.Receive, SocketFlags.ReceiveEnds, socket, ref state);
        if (state.Polled != 0) Cancel(Kind.Poll, SocketFlags.PollEnds, socket, ref state);
        if (state.Has(SocketFlags.AwaitsRoom)) Cancel(Kind.Room, SocketFlags.RoomEnds, socket, ref state);
        if (state.Operations == 0) Forget(socket);
    }

    // An operation has completed for the last time. Whether it was on a socket that is gone, in which case there is nothing more to do.
    private bool Completes(int socket, ref SocketState state)
    {
        Track(ref state, -1);
        if (!state.Has(SocketFlags.Gone)) return false;
        if (state.Operations == 0) Forget(socket);
        return true;
    }

    // Buffers are short only until the sends of this turn are done.
    private void FeedStarved()
    {
        if (_starved.Count == 0 || _buffers.Free < _buffers.Count / 4) return;
        foreach (var socket in _starved)
        {
            ref var state = ref Sockets[socket];
            if (!state.Has(SocketFlags.Starved)) continue; // It is gone since.
            state.Flags &= ~SocketFlags.Starved;
            Settle(socket);
        }

        _starved.Clear();
    }
}
