using System.Runtime.InteropServices;

namespace StickyWs.Transport;

/// <summary>
/// A reactor on edge-triggered epoll(7): the kernel says once that a socket became ready, and this emulates completions by trying until it is drained. The
/// events carry a socket's number and generation, so that one which was closed in the same turn is not taken for its successor.
/// </summary>
internal sealed unsafe partial class EpollReactor : Reactor
{
    private const int MaxEvents = 256;
    private const ulong WakeData = ulong.MaxValue;

    private readonly Slab<SocketState> _sockets = new();
    private readonly Lock _registering = new();
    private readonly int _epoll;
    private readonly int _wake;
    private readonly byte* _events;
    private readonly byte* _buffer;
    private bool _isReleased;

    /// <exception cref="IOException">The kernel refuses epoll or an eventfd.</exception>
    public EpollReactor(int number, Action<Exception> onFailure, int mostPipes = MostPipes)
        : base(number, onFailure)
    {
        _pipes = new SplicePipes(mostPipes);
        _epoll = Libc.EpollCreate(Libc.CloseOnExec);
        if (_epoll < 0) throw new IOException($"epoll_create1: {Libc.Error}");
        _wake = Libc.EventFd(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (_wake < 0 || EpollEvents.Control(_epoll, Libc.EpollAdd, _wake, EpollEvents.In | EpollEvents.EdgeTriggered, WakeData) < 0)
        {
            var error = Libc.Error;
            _ = Libc.Close(_epoll);
            if (_wake >= 0) _ = Libc.Close(_wake);
            throw new IOException($"eventfd: {error}");
        }

        _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * EpollEvents.Size));
        _buffer = (byte*)NativeMemory.AlignedAlloc(BufferSize, 4096);
    }

    /// <summary>Sockets now, watched or streaming. On the reactor's thread, or while it is known to rest.</summary>
    public int Count => _sockets.Count;

    /// <summary>Pipes for splicing that were made so far and are still there.</summary>
    public int Pipes => _pipes.Count;

    public override int Watch(int fd, IWatcher watcher, Signals signals)
    {
        lock (_registering)
        {
            if (_isReleased) throw new IOException("The reactor has stopped.");
            var socket = _sockets.Take();
            ref var state = ref _sockets[socket];
            state.Fd = fd;
            state.Watcher = watcher;
            state.Flags = ToFlags(signals);
            if (EpollEvents.Control(_epoll, Libc.EpollAdd, fd, EventsOf(state.Flags), Data(socket, state.Generation)) == 0) return socket;
            var error = Libc.Error;
            Forget(socket);
            throw new IOException($"epoll_ctl: {error}");
        }
    }

    public override void WatchMore(int socket, Signals signals)
    {
        ref var state = ref _sockets[socket];
        var flags = state.Flags | ToFlags(signals);
        if (flags == state.Flags) return;
        state.Flags = flags;
        lock (_registering)
        {
            if (!_isReleased) _ = EpollEvents.Control(_epoll, Libc.EpollModify, state.Fd, EventsOf(flags), Data(socket, state.Generation));
        }
    }

    public override void Unwatch(int socket)
    {
        lock (_registering)
        {
            if (!_isReleased) _ = EpollEvents.Control(_epoll, Libc.EpollDelete, _sockets[socket].Fd, 0, 0);
        }

        Forget(socket);
    }

    protected override void Wake()
    {
        ulong one = 1;
        lock (_registering)
        {
            if (!_isReleased) _ = Libc.Write(_wake, &one, sizeof(ulong));
        }
    }

    protected override void Turn(int milliseconds)
    {
        var count = Libc.EpollWait(_epoll, _events, MaxEvents, _queue.Count > 0 ? 0 : milliseconds);
        Awake();
        for (var i = 0; i < count; i++)
        {
            var data = EpollEvents.Data(_events, i);
            if (data != WakeData) Serve((int)(uint)data, (uint)(data >> 32), EpollEvents.Flags(_events, i));
        }

        ServeQueue();
    }

    protected override void Release()
    {
        // Behind this nobody writes to descriptors that may be another's by then.
        lock (_registering)
        {
            _isReleased = true;
            _ = Libc.Close(_wake);
            _ = Libc.Close(_epoll);
        }

        _pipes.CloseAll();
        NativeMemory.Free(_events);
        NativeMemory.AlignedFree(_buffer);
    }

    private static SocketFlags ToFlags(Signals signals)
        => ((signals & Signals.Readable) != 0 ? SocketFlags.WatchesReceive : SocketFlags.None) | ((signals & Signals.Writable) != 0 ? SocketFlags.WatchesSend : SocketFlags.None);

    private static uint EventsOf(SocketFlags flags)
        => EpollEvents.PeerFinished | EpollEvents.EdgeTriggered
            | ((flags & SocketFlags.WatchesReceive) != 0 ? EpollEvents.In | EpollEvents.Urgent : 0) | ((flags & SocketFlags.WatchesSend) != 0 ? EpollEvents.Out : 0);

    private static ulong Data(int socket, uint generation) => ((ulong)generation << 32) | (uint)socket;

    // The watcher is read before the generation is compared, since another thread may give a watched socket up just now and a third one take its number: no
    // watcher is written under a number before the generation of its predecessor is gone.
    private void Serve(int socket, uint generation, uint events)
    {
        ref var state = ref _sockets[socket];
        var watcher = Volatile.Read(ref state.Watcher);
        if (Volatile.Read(ref state.Generation) != generation) return;
        try
        {
            if (state.Has(SocketFlags.Streaming)) Stream(socket, ref state, events);
            else watcher?.Signal(ToSignals(events));
        }
#pragma warning disable CA1031 // A defect, or a logger of the application's that throws.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
            if (state.Generation == generation && state.Has(SocketFlags.Streaming)) Relay.Fail(socket);
        }
    }

    private static Signals ToSignals(uint events)
    {
        var signals = Signals.None;
        if ((events & (EpollEvents.In | EpollEvents.Ending)) != 0) signals |= Signals.Readable;
        if ((events & (EpollEvents.Out | EpollEvents.Error | EpollEvents.HangUp)) != 0) signals |= Signals.Writable;
        if ((events & EpollEvents.Ending) != 0) signals |= Signals.PeerLeft;
        return signals;
    }

    private void Forget(int socket)
    {
        lock (_registering)
        {
            ref var state = ref _sockets[socket];
            state = new SocketState { Generation = state.Generation + 1 };
            _sockets.Return(socket);
        }
    }
}
