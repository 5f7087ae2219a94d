using System.Runtime.InteropServices;
using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>
/// A reactor on edge-triggered epoll(7). The kernel reports once that a socket became ready; this class emulates completions by receiving until the
/// socket is drained. Events carry the socket's number and generation, so an event for a socket closed in the same turn never reaches its successor.
/// </summary>
internal sealed unsafe partial class EpollReactor : SocketReactor
{
    private const int MaxEvents = 256;
    private const ulong WakeData = ulong.MaxValue;

    private readonly int _epoll;
    private readonly byte* _events;

    /// <exception cref="IOException">The kernel refuses epoll or an eventfd.</exception>
    public EpollReactor(
        int number, Action<Exception> onFailure, int mostPipes = MostPipes, int bufferSize = DefaultBufferSize, TimeProvider? time = null)
        : base(number, onFailure, mostPipes, bufferSize, time)
    {
        _epoll = Libc.EpollCreate(Libc.O_CLOEXEC);
        if (_epoll < 0)
        {
            var error = Libc.Error;
            CloseOwn();
            throw error.ToIOException("epoll_create1");
        }

        if (EpollEvents.Control(_epoll, Libc.EPOLL_CTL_ADD, WakeEvent.Fd, EpollEvents.EPOLLIN | EpollEvents.EPOLLET, WakeData) < 0)
        {
            var error = Libc.Error;
            _ = Libc.Close(_epoll);
            CloseOwn();
            throw error.ToIOException("epoll_ctl");
        }

        _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * EpollEvents.Size));
    }

    public override string KernelName => "epoll";

    public override int Watch(int fd, IWatcher watcher, Signals signals)
    {
        lock (Registering)
        {
            var socket = Register(fd, watcher, signals);
            ref var state = ref Sockets[socket];
            if (EpollEvents.Control(_epoll, Libc.EPOLL_CTL_ADD, fd, EventsOf(state.Flags), Data(socket, state.Generation)) == 0) return socket;
            var error = Libc.Error;
            Forget(socket);
            throw error.ToIOException("epoll_ctl");
        }
    }

    public override void WatchMore(int socket, Signals signals)
    {
        ref var state = ref Sockets[socket];
        var flags = state.Flags | ToFlags(signals);
        if (flags == state.Flags) return;
        state.Flags = flags;
        lock (Registering)
        {
            if (!IsReleased) _ = EpollEvents.Control(_epoll, Libc.EPOLL_CTL_MOD, state.Fd, EventsOf(flags), Data(socket, state.Generation));
        }
    }

    public override void Unwatch(int socket)
    {
        lock (Registering)
        {
            if (!IsReleased) _ = EpollEvents.Control(_epoll, Libc.EPOLL_CTL_DEL, Sockets[socket].Fd, 0, 0);
        }

        Forget(socket);
    }

    protected override bool Turn(int milliseconds)
    {
        var count = Libc.EpollWait(_epoll, _events, MaxEvents, HasQueued ? 0 : Rest(milliseconds));
        var error = count < 0 ? Libc.SavedError : Errno.None;
        Awake();
        var works = error is Errno.None or Errno.EINTR;
        if (!works) Report(error.ToIOException("epoll_wait"));
        for (var i = 0; i < count; i++)
        {
            var data = EpollEvents.Data(_events, i);
            if (data != WakeData) Serve((int)(uint)data, (uint)(data >> 32), EpollEvents.Flags(_events, i));
        }

        ServeQueue();
        return works;
    }

    protected override void CloseKernel()
    {
        _ = Libc.Close(_epoll);
        NativeMemory.Free(_events);
    }

    private static uint EventsOf(SocketFlags flags)
        => EpollEvents.EPOLLRDHUP | EpollEvents.EPOLLET
            | ((flags & SocketFlags.WatchesReceive) != 0 ? EpollEvents.EPOLLIN | EpollEvents.EPOLLPRI : 0)
            | ((flags & SocketFlags.WatchesSend) != 0 ? EpollEvents.EPOLLOUT : 0);

    private static ulong Data(int socket, uint generation) => ((ulong)generation << 32) | (uint)socket;
}
