using System.Runtime.InteropServices;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Reactors;

/// <summary>What both reactors share: the table of sockets, their watchers, and what a socket could not take yet.</summary>
internal abstract unsafe partial class SocketReactor : Reactor
{
    /// <summary>The most bytes per receive, and thus the most that is left over of one when the reader stalls.</summary>
    public const int DefaultBufferSize = 64 * 1024;

    protected SocketReactor(int number, Action<Exception> onFailure, int mostPipes, int bufferSize, TimeProvider? time)
        : base(number, onFailure, time)
    {
        _pipes = new SplicePipes(mostPipes);
        _cannotSplice = bufferSize < 2 * WorthSplicing || !KernelProbe.CanSplice();
        _bufferSize = bufferSize + RoomForHeads;
        _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)_bufferSize, 4096);
    }

    public override int Count => Sockets.Count;

    /// <summary>The number of bytes held for stalled readers. Call on the reactor's thread, or while it is known to be idle.</summary>
    public long Held
    {
        get
        {
            var held = 0L;
            for (var socket = 0; socket < Sockets.End; socket++) held += Sockets[socket].LeftoverLength;
            return held;
        }
    }

    /// <summary>The number of pipes that exist for splicing.</summary>
    public int Pipes => _pipes.Count;

    protected Slab<SocketState> Sockets { get; } = new();

    /// <summary>Ends a wait.</summary>
    protected WakeEvent WakeEvent { get; } = new();

    /// <summary>Guards the table while sockets come and go, and what a release closes.</summary>
    protected Lock Registering { get; } = new();

    protected bool IsReleased { get; private set; }

    public override int Place(int socket) => Sockets[socket].Place;

    public override void ChangeHandler(int socket, IStreamHandler handler, int place)
    {
        ref var state = ref Sockets[socket];
        (state.Handler, state.Place) = (handler, place);
    }

    public override bool IsQuiet(int socket)
    {
        const SocketFlags Over = SocketFlags.Broken | SocketFlags.SendBroken | SocketFlags.Ended | SocketFlags.EndInSight;
        ref var state = ref Sockets[socket];
        if (state.HasAny(Over)) return false;
        byte first;
        return Libc.Receive(state.Fd, &first, 1, Libc.MSG_PEEK | Libc.MSG_DONTWAIT) < 0 && Libc.Error == Errno.EAGAIN;
    }

    public override bool IsDeaf(int socket) => Sockets[socket].Has(SocketFlags.SendBroken);

    public override bool HadFinished(int socket) => Sockets[socket].Fault == Errno.EPIPE;

    public override int Unacknowledged(int socket) => Pending(ref Sockets[socket]) + SocketOptions.Unacknowledged(Sockets[socket].Fd);

    public override bool HasTaken(int socket) => HasTaken(ref Sockets[socket]);

    public override long Acknowledged(int socket) => SocketOptions.Acknowledged(Sockets[socket].Fd);

    public override RawAddress? LocalAddress(int socket) => SocketOptions.LocalAddress(Sockets[socket].Fd);

    public override RawAddress? RemoteAddress(int socket) => SocketOptions.RemoteAddress(Sockets[socket].Fd);

    public override void SetDeadPeerTimeout(int socket, int milliseconds) => SocketOptions.SetDeadPeerTimeout(Sockets[socket].Fd, milliseconds);

    protected override void Release()
    {
        // After this, no thread writes to a descriptor that may belong to another file by then.
        lock (Registering)
        {
            IsReleased = true;
            CloseKernel();
            CloseOwn();
        }
    }

    /// <summary>Closes and frees what every kind of reactor has.</summary>
    protected void CloseOwn()
    {
        WakeEvent.Close();
        _pipes.CloseAll();
        NativeMemory.AlignedFree(_buffer);
        _counted.Dispose();
    }

    protected override void Wake()
    {
        lock (Registering)
        {
            if (!IsReleased) WakeEvent.Set();
        }
    }

    /// <summary>Closes what this kind of reactor has open in addition.</summary>
    protected abstract void CloseKernel();

    protected override void EndStreams(EndReason reason)
    {
        base.EndStreams(reason);
        for (var socket = 0; socket < Sockets.End; socket++)
        {
            if (Sockets[socket] is { Handler: not null } state) Fail(socket, state.Generation);
        }
    }

    /// <summary>Notes the target of a socket's bytes.</summary>
    protected void Link(int from, int to)
    {
        ref var target = ref Sockets[from].Target;
        if (target == to) return;
        target = to;
        Sockets[to].Source = from;
    }

    /// <summary>Removes the links of a socket that is about to close.</summary>
    /// <returns>The source whose end may have waited for this socket, or <see cref="SocketState.None"/>.</returns>
    protected int Unlink(int socket)
    {
        ref var state = ref Sockets[socket];
        var (source, target) = (state.Source, state.Target);
        (state.Source, state.Target) = (SocketState.None, SocketState.None);
        if (target != SocketState.None && Sockets[target].Source == socket) Sockets[target].Source = SocketState.None;
        if (source == SocketState.None || Sockets[source].Target != socket) return SocketState.None;
        Sockets[source].Target = SocketState.None;
        return source;
    }

    /// <summary>Takes an entry in the table. The caller holds <see cref="Registering"/>.</summary>
    protected int Register(int fd, IWatcher watcher, Signals signals)
    {
        if (IsReleased) throw new IOException("The reactor has stopped.", Errno.ECONNABORTED.ToSocketException());
        var socket = Sockets.Take();
        ref var state = ref Sockets[socket];
        state.Fd = fd;
        state.Watcher = watcher;
        (state.Target, state.Source) = (SocketState.None, SocketState.None);
        state.Flags = ToFlags(signals);
        return socket;
    }

    protected void Forget(int socket)
    {
        lock (Registering)
        {
            ref var state = ref Sockets[socket];
            state = new SocketState { Generation = state.Generation + 1, Fd = -1 };
            Sockets.Return(socket);
        }
    }

    protected static void BeginStream(ref SocketState state, IStreamHandler handler, int place)
    {
        (state.Watcher, state.Handler, state.Place) = (null, handler, place);
        state.Flags |= SocketFlags.Streaming;
    }

    /// <summary>
    /// From here on the socket is only watched. What was queued or asked for by the stream names the generation before; how the connection broke is kept,
    /// since the kernel tells it only once.
    /// </summary>
    protected static void EndStream(ref SocketState state, IWatcher watcher)
    {
        state.Generation++;
        state.Flags &= SocketFlags.Broken | SocketFlags.SendBroken | SocketFlags.Urgent | SocketFlags.PollEnds | SocketFlags.PollDue;
        (state.Handler, state.Place, state.SpliceLeft, state.Flow, state.Score, state.End) = (null, 0, 0, 0, 0, Errno.None);
        Volatile.Write(ref state.Watcher, watcher);
    }

    /// <summary>Notes a break that the kernel reported.</summary>
    protected static void NoteBreak(ref SocketState state)
    {
        state.Flags |= SocketFlags.Broken;
        NoteFault(ref state, SocketOptions.TakeError(state.Fd));
    }

    protected static void NoteFault(ref SocketState state, Errno error)
    {
        if (state.Fault == Errno.None) state.Fault = error;
    }

    /// <summary>
    /// Reports how a stream ended. A receive returns 0 both after a FIN that a break followed and after a break whose error was already taken.
    /// </summary>
    protected static void TellEnding(int socket, ref SocketState state, Errno error)
    {
        NoteFault(ref state, error);
        var (generation, fault) = (state.Generation, state.Fault);
        var isBroken = fault != Errno.None || state.HasAny(SocketFlags.SendBroken | SocketFlags.Broken);
        if (error == Errno.None && (!isBroken || fault == Errno.EPIPE)) state.Handler!.Finished(socket);
        if (isBroken && state.Generation == generation) state.Handler!.Broken(socket, fault);
    }

    /// <summary>Handles what the kernel reports for a streaming socket.</summary>
    protected abstract void Stream(int socket, ref SocketState state, uint events);

    // Read the watcher before comparing generations: another thread may unwatch the socket right now, and a third may reuse its number. No watcher is
    // written to a number before the generation of its predecessor is gone.
    protected void Serve(int socket, uint generation, uint events)
    {
        ref var state = ref Sockets[socket];
        var watcher = Volatile.Read(ref state.Watcher);
        if (Volatile.Read(ref state.Generation) != generation) return;
        try
        {
            if (state.Has(SocketFlags.Streaming)) Stream(socket, ref state, events);
            else watcher?.Signal(ToSignals(events));
        }
#pragma warning disable CA1031 // A defect, or the application's logger throws.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
            Fail(socket, generation);
        }
    }

    /// <summary>
    /// Ends a stream because of a defect, unless its number has been reused. Never throws: if the handler fails here too, the socket is closed.
    /// </summary>
    protected void Fail(int socket, uint generation)
    {
        ref var state = ref Sockets[socket];
        if (state.Generation != generation || state.Handler is null || state.Has(SocketFlags.Gone)) return;
        try
        {
            state.Handler!.Fail(socket);
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
            if (state.Generation == generation && !state.Has(SocketFlags.Gone)) Close(socket, isReset: true);
        }
    }

    /// <summary>Tells a socket's watcher that the kernel no longer watches it, by signalling everything: the watcher finds out by trying.</summary>
    protected void TellBlind(int socket)
    {
        ref var state = ref Sockets[socket];
        if (state.HasAny(SocketFlags.Streaming | SocketFlags.Gone) || Volatile.Read(ref state.Fd) < 0) return;
        Serve(socket, state.Generation, EpollEvents.EPOLLIN | EpollEvents.EPOLLOUT | EpollEvents.Ending);
    }

    /// <summary>Tells all watchers.</summary>
    protected void TellAllBlind()
    {
        for (var socket = 0; socket < Sockets.End; socket++) TellBlind(socket);
    }

    protected static SocketFlags ToFlags(Signals signals)
        => ((signals & Signals.Readable) != 0 ? SocketFlags.WatchesReceive : SocketFlags.None)
            | ((signals & Signals.Writable) != 0 ? SocketFlags.WatchesSend : SocketFlags.None);

    private static Signals ToSignals(uint events)
    {
        var signals = Signals.None;
        if ((events & (EpollEvents.EPOLLIN | EpollEvents.Ending)) != 0) signals |= Signals.Readable;
        if ((events & (EpollEvents.EPOLLOUT | EpollEvents.EPOLLERR | EpollEvents.EPOLLHUP)) != 0) signals |= Signals.Writable;
        if ((events & EpollEvents.Ending) != 0) signals |= Signals.PeerLeft;
        return signals;
    }
}
