using StickyWs.Kernel;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>The listening socket in the raw lane: accepts without blocking, and waits on a reactor. Does not own the descriptor.</summary>
internal sealed unsafe class RawSocketAcceptor : IWatcher, IDisposable
{
    private const int NotWatched = -1;

    private readonly Readiness _acceptable = new();
    private readonly Lock _lock = new();
    private readonly int _fd;
    private Reactor _reactor;
    private int _socket;
    private bool _isClosed;
    private volatile bool _isBlind;

    public RawSocketAcceptor(Reactor reactor, int fd)
    {
        _reactor = reactor;
        _fd = fd;
        _socket = reactor.Watch(fd, this, Signals.Readable);
    }

    /// <summary>The reactor that watches it.</summary>
    public Reactor Reactor => _reactor;

    /// <summary>Whether the kernel or the reactor has stopped watching: nothing more will be reported.</summary>
    public bool IsBlind => _isBlind;

    /// <summary>Accepts the next connection from the backlog, non-blocking and close-on-exec.</summary>
    /// <returns><see cref="Errno.None"/>, or why there is none.</returns>
    public Errno TryAccept(out int fd, out RawAddress remote)
    {
        remote = default;
        lock (_lock)
        {
            fd = -1;
            if (_isClosed) return Errno.ECONNABORTED;
            fixed (RawAddress* address = &remote)
            {
                var length = (uint)RawAddress.MaxLength;
                fd = Libc.Accept(_fd, address, &length, Libc.O_NONBLOCK | Libc.O_CLOEXEC);
                return fd < 0 ? Libc.Error : Errno.None;
            }
        }
    }

    /// <summary>Waits until there may be a connection, or the listener is closed. Continues on the reactor's thread, or on that of the closer.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken) => _acceptable.WaitAsync(cancellationToken);

    /// <summary>Has a reactor watch it again. If that fails it stays blind.</summary>
    public void WatchAnew(Reactor reactor)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            if (_socket != NotWatched) _reactor.Unwatch(_socket);
            (_socket, _reactor, _isBlind) = (NotWatched, reactor, false);
            try
            {
                _socket = reactor.Watch(_fd, this, Signals.Readable);
            }
            catch (IOException)
            {
                _isBlind = true;
            }
        }
    }

    // A listening socket has no peer: its poll has failed, or it was shut down.
    public void Signal(Signals signals)
    {
        if ((signals & Signals.PeerLeft) != 0) _isBlind = true;
        _acceptable.Signal();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _isClosed = true;
            if (_socket != NotWatched) _reactor.Unwatch(_socket);
        }

        _acceptable.Signal();
    }
}
