using System.Net.Sockets;
using System.Runtime.CompilerServices;
using StickyWs.Kernel;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>
/// A TCP socket of the raw lane during its handshake. Its operations can be awaited; each first tries the system call, and waits for the reactor only
/// on EAGAIN. After a wait it continues on the reactor's thread. It has one owner, who disposes it or hands the descriptor over (<see
/// cref="Release"/>, <see cref="ReleaseWatched"/>), and may take it back; anyone may call <see cref="Abort"/>.
/// </summary>
#pragma warning disable CA2213 // The source holds only memory, and may be cancelled after the dispose.
internal sealed partial class RawSocket(Reactor reactor, int fd) : IWatcher, IDisposable
#pragma warning restore CA2213
{
    private const int NotWatched = -1;

    private readonly Readiness _readable = new();
    private readonly Readiness _writable = new();
    private readonly Lock _lock = new();
    private CancellationTokenSource? _left;
    private int _socket = NotWatched;
    private bool _isDrained;
    private bool _isGone;
    private volatile bool _hasLeft;
    private volatile bool _isAborted;

    /// <summary>Creates a socket to connect, and to send on once connected.</summary>
    /// <exception cref="SocketException">The process has no descriptor left.</exception>
    public static RawSocket Create(Reactor reactor, int family)
    {
        var fd = Libc.Socket(family, Libc.SOCK_STREAM | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
        if (fd < 0) throw Libc.Error.ToSocketException();
        SocketOptions.SetNoDelay(fd);
        SocketOptions.DelayFirstAck(fd);
        SocketOptions.SetUrgentInline(fd);
        return new RawSocket(reactor, fd);
    }

    public Reactor Reactor => reactor;

    public bool IsAborted => _isAborted;

    /// <summary>Whether the peer has sent its FIN or the connection broke, as far as the reactor has reported it; only for a watched socket.</summary>
    public bool HasPeerLeft => _hasLeft;

    /// <summary>Fires when the peer has sent its FIN or the connection broke. Reading it starts the watch.</summary>
    public CancellationToken Left
    {
        get
        {
            Watch(Signals.PeerLeft);
            lock (_lock)
            {
                _left ??= new CancellationTokenSource();
                if (!_hasLeft) return _left.Token;
            }

            _left.Cancel();
            return _left.Token;
        }
    }

    /// <summary>Copies what has arrived without consuming it; 0 at the end of the stream, -1 if nothing is there.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public int TryPeek(Span<byte> buffer) => TryReceive(buffer, Libc.MSG_PEEK);

    /// <summary>Has the reactor watch for what arrives.</summary>
    /// <exception cref="IOException">The kernel cannot watch another socket, or the reactor has stopped.</exception>
    public void WatchReadable() => Watch(Signals.Readable);

    /// <summary>Waits until something has arrived since the last peek.</summary>
    public ValueTask WaitReadableAsync(CancellationToken cancellationToken)
    {
        WatchReadable();
        return _readable.WaitAsync(cancellationToken);
    }

    /// <summary>Receives what is there, at least one byte; 0 at the end of the stream.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // A first try would usually fail, and after the wait it runs on the tunnel's thread.
        if (_socket == NotWatched) await WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            if (TryReceive(buffer.Span) is >= 0 and var received) return received;
            await WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Receives what is there; 0 at the end of the stream, -1 if nothing is there.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public int TryReceive(Span<byte> buffer)
    {
        var received = TryReceive(buffer, 0);
        _isDrained = received < buffer.Length;
        return received;
    }

    /// <summary>Sends all bytes.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            bytes = bytes[TrySend(bytes.Span)..];
            if (bytes.IsEmpty) return;
            await WaitWritableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">It cannot be reached.</exception>
    public async ValueTask ConnectAsync(RawAddress address, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Asked again at once: on the same machine the connection is established by then (connect(2); EALREADY otherwise).
            var error = TryConnect(address);
            if (error == Errno.EINPROGRESS) error = TryConnect(address);
            if (error == Errno.None) return;
            if (error is not (Errno.EINPROGRESS or Errno.EALREADY or Errno.EINTR)) throw error.ToSocketException();
            await WaitWritableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Half-closes the connection (FIN).</summary>
    public void FinishSending() => _ = Libc.Shutdown(fd, Libc.SHUT_WR);

    /// <summary>
    /// Fails all pending and future operations with an <see cref="IOException"/>; the owner's dispose then resets the connection. Does nothing once
    /// the descriptor was handed over.
    /// </summary>
    public void Abort()
    {
        _isAborted = true;
        Signal(Signals.Readable | Signals.Writable | Signals.PeerLeft);
    }

    /// <summary>
    /// Closes after a response that the client must be able to read: unread bytes from the client would make the kernel reset the connection, and
    /// lose the response in flight. So: FIN, then discard input until the client has finished too, or for this long (RFC 9112 section 9.6); extended
    /// as long as the client keeps taking some of its response.
    /// </summary>
    public async ValueTask LingerAsync(TimeSpan longest, TimeProvider time)
    {
        FinishSending();
        try
        {
            for (var left = int.MaxValue; !await SkipToEndAsync(longest, time).ConfigureAwait(false);)
            {
                var now = SocketOptions.Unacknowledged(fd);
                if (now <= 1 || now >= left) return; // The FIN may be acknowledged late.
                left = now;
            }
        }
        catch (IOException)
        {
            // Broken.
        }
    }

    public void Signal(Signals signals)
    {
        var left = (signals & Signals.PeerLeft) != 0 ? Leave() : null; // Set before the reader continues.
        if ((signals & Signals.Readable) != 0) _readable.Signal();
        if ((signals & Signals.Writable) != 0) _writable.Signal();
        left?.Cancel();
    }

    /// <summary>Hands the descriptor over, unwatched.</summary>
    public int Release()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isGone, this);
            _isGone = true;
            if (_socket != NotWatched) reactor.Unwatch(_socket);
            return fd;
        }
    }

    /// <summary>Hands the descriptor over to the reactor itself.</summary>
    /// <exception cref="IOException">The kernel cannot watch another socket; the caller still owns it.</exception>
    public WatchedSocket ReleaseWatched()
    {
        Watch(Signals.PeerLeft);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isGone, this);
            _isGone = true;
            return new WatchedSocket(fd, _socket, _isDrained && !_hasLeft && !_readable.IsSignalled);
        }
    }

    /// <summary>
    /// Takes the descriptor back that was handed over to the reactor (<see cref="ReleaseWatched"/>), and that streams there for a handler which has paused
    /// it. On the reactor's thread.
    /// </summary>
    /// <returns>Whether that is done; if not, it has to be tried again in the reactor's next turn.</returns>
    public bool TryTakeBack()
    {
        lock (_lock)
        {
            if (!reactor.TryEndStream(_socket, this)) return false;
            (_isGone, _isDrained) = (false, false);
            return true;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isGone) return;
            _isGone = true;
            if (_socket != NotWatched) reactor.Unwatch(_socket);
            SocketOptions.Close(fd, _isAborted);
        }
    }

    // Whether the end came in time.
    private async ValueTask<bool> SkipToEndAsync(TimeSpan longest, TimeProvider time)
    {
        using var timer = new CancellationTokenSource(longest, time);
        try
        {
            while (true)
            {
                switch (TrySkipSome())
                {
                    case Skipped.Nothing:
                        await WaitReadableAsync(timer.Token).ConfigureAwait(false);
                        break;
                    case Skipped.Some:
                        timer.Token.ThrowIfCancellationRequested();
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Other connections wait for this thread.
                        break;
                    case Skipped.End:
                        return true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private ValueTask WaitWritableAsync(CancellationToken cancellationToken)
    {
        Watch(Signals.Writable);
        return _writable.WaitAsync(cancellationToken);
    }

    private void Watch(Signals signals)
    {
        lock (_lock)
        {
            if (_isGone) return;
            if (_socket == NotWatched) _socket = reactor.Watch(fd, this, signals);
            else reactor.WatchMore(_socket, signals);
        }
    }

    private CancellationTokenSource? Leave()
    {
        lock (_lock)
        {
            if (_hasLeft || _isGone) return null;
            _hasLeft = true;
            return _left;
        }
    }
}
