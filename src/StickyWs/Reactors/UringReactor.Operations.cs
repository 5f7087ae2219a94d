using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Reactors;

// The operations that are with the kernel: requested, cancelled, and counted until each has completed for the last time.
internal sealed unsafe partial class UringReactor
{
    private const uint IORING_ASYNC_CANCEL_ALL = 1 << 0;
    private const uint IORING_ASYNC_CANCEL_ANY = 1 << 2;

    // The kernel always reports these. Requesting them distinguishes a poll for nothing else from no poll.
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
        GiveUp(new IOException("io_uring lost completions: the kernel is out of memory."));
        AwaitWake();
        return true;
    }

    // It is no longer known which bytes of a tunnel are where, nor which sockets are still watched.
    private void GiveUp(IOException reason)
    {
        Report(reason);
        EndStreams(EndReason.Failed);
        TellAllBlind();
    }

    /// <summary>Requests from the kernel what the socket's state calls for.</summary>
    private void Settle(int socket)
    {
        ref var state = ref Sockets[socket];
        if (_isEnding || state.Has(SocketFlags.Gone) || Volatile.Read(ref state.Fd) < 0) return;
        if (state.Has(SocketFlags.Streaming)) SettleReceive(socket, ref state);
        if (state.Has(SocketFlags.PollDue)) return;
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

    // After the sends: a short send then completes before the next receive does, and prevents yet another receive.
    private void Receive()
    {
        foreach (var (socket, generation) in _asking)
        {
            ref var state = ref Sockets[socket];
            if (state.Generation != generation) continue;
            state.Flags &= ~SocketFlags.AsksReceive;
            if (WantsReceive(ref state) && !state.HasAny(SocketFlags.Receiving | SocketFlags.Bulk)) Receive(socket, ref state);
            else if (state.Has(SocketFlags.Bulk)) Settle(socket);
        }

        _asking.Clear();
    }

    private static bool WantsReceive(ref SocketState state) => !state.HasAny(SocketFlags.Paused | SocketFlags.Ended | SocketFlags.Starved);

    // A stream is polled for a break, too. It may not be receiving for a while; and a multishot receive is woken only once for the last bytes and a
    // break right after them, so it would miss the break.
    private static uint EventsOf(ref SocketState state) => state switch
    {
        _ when !state.Has(SocketFlags.Streaming) => EpollEvents.EPOLLRDHUP | PollBroken
            | (state.Has(SocketFlags.WatchesReceive) ? EpollEvents.EPOLLIN : 0) | (state.Has(SocketFlags.WatchesSend) ? EpollEvents.EPOLLOUT : 0),
        _ when state.Has(SocketFlags.Broken) => 0,
        _ when state.Has(SocketFlags.Bulk) => EpollEvents.EPOLLIN | EpollEvents.EPOLLRDHUP | PollBroken,
        _ => (state.Polled & ~EpollEvents.EPOLLRDHUP) == PollBroken ? state.Polled : PollBroken, // A poll that also reports a FIN may stay.
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
            if (completion.Result > 0) PollLater(socket, ref state);
        }

        if (completion.Error is not (Errno.None or Errno.ECANCELED) && !state.Has(SocketFlags.Streaming)) Blind(socket, ref state);
        if (completion.Result > 0 && !state.Has(SocketFlags.Gone)) Serve(socket, state.Generation, (uint)completion.Result);
        Settle(socket);
    }

    private void PollLater(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.PollDue)) return;
        state.Flags |= SocketFlags.PollDue;
        _unpolled.Add(socket);
    }

    // The kernel no longer watches the socket: it is out of memory, or the descriptor is no socket. Tell the watcher, unless it has let go already.
    private void Blind(int socket, ref SocketState state)
    {
        if (Interlocked.Exchange(ref state.Fd, -1) < 0) return;
        Serve(socket, state.Generation, EpollEvents.EPOLLIN | EpollEvents.EPOLLOUT | EpollEvents.Ending);
    }

    // A multishot poll ended because the completion queue was full. A new poll reports at once what the old one did, so arming it before there is
    // room would keep the queue full, and no send would ever be concluded.
    private void PollAgain()
    {
        if (_unpolled.Count == 0 || _ring.HasOverflown) return;
        foreach (var socket in _unpolled)
        {
            Sockets[socket].Flags &= ~SocketFlags.PollDue;
            Settle(socket);
        }

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
        state.Polled = (ushort)events; // Poll events fit into 16 bits.
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
        if (!_isEnding) AwaitRoom(socket, ref Sockets[socket]); // The ring may be gone; the handler hears of the stream's end instead.
    }

    // Multishot, so that it reports changes: the kernel may be short of memory while the socket has room.
    private void AwaitRoom(int socket, ref SocketState state)
    {
        if (state.Has(SocketFlags.AwaitsRoom)) return;
        Poll(Kind.Room, socket, state.Fd, EpollEvents.EPOLLOUT);
        state.Flags |= SocketFlags.AwaitsRoom;
        Track(ref state, 1);
    }

    // Requests a cancellation once; the flag records that.
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

    // A receive that is being cancelled may still deliver, and a send is the kernel's until it has completed.
    public override bool TryEndStream(int socket, IWatcher watcher)
    {
        const SocketFlags UnderWay = SocketFlags.Receiving | SocketFlags.AsksReceive | SocketFlags.IsDirty | SocketFlags.IsSending | SocketFlags.AwaitsRoom;
        ref var state = ref Sockets[socket];
        if (state.HasAny(UnderWay) || !HasTaken(ref state)) return false;
        EndStream(ref state, watcher);
        if (state.Polled != 0) Cancel(Kind.Poll, SocketFlags.PollEnds, socket, ref state); // The next one also reports an end that the handler was told of.
        Settle(socket);
        return true;
    }

    /// <summary>Releases a socket: cancels its operations, and frees its entry when they have completed.</summary>
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

    // An operation has completed for the last time. Returns whether its socket was released, in which case there is nothing more to do.
    private bool Completes(int socket, ref SocketState state)
    {
        Track(ref state, -1);
        if (!state.Has(SocketFlags.Gone)) return false;
        if (state.Operations == 0) Forget(socket);
        return true;
    }

    // Buffers run short only until this turn's sends are done.
    private void FeedStarved()
    {
        if (_starved.Count == 0 || _buffers.Free < _buffers.Count / 4) return;
        foreach (var socket in _starved)
        {
            ref var state = ref Sockets[socket];
            if (!state.Has(SocketFlags.Starved)) continue; // Released in the meantime.
            state.Flags &= ~SocketFlags.Starved;
            Settle(socket);
        }

        _starved.Clear();
    }
}
