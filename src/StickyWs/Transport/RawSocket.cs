using System.Net.Sockets;
using System.Runtime.CompilerServices;
using StickyWs.Kernel;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>
/// A TCP socket of the raw lane while its handshake lasts: operations that can be awaited, each of which tries first and waits for the reactor only
/// when the kernel says so. What waited goes on within the reactor's thread. One owner, who disposes it or gives the descriptor on
/// (<see cref="Release"/>, <see cref="ReleaseWatched"/>); anybody may call <see cref="Abort"/>.
/// </summary>
#pragma warning disable CA2213 // The source holds nothing but memory, and whoever cancels it may come behind the dispose.
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

    /// <summary>A new socket to connect, and to send on as soon as that is done.</summary>
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

    /// <summary>Whether the peer has sent its FIN or the connection broke, as far as the reactor has said so of a socket that is watched.</summary>
    public bool HasPeerLeft => _hasLeft;

    /// <summary>Fires when the peer has sent its FIN or the connection broke; asked for, it is watched for.</summary>
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

    /// <summary>Copies what has arrived without taking it; 0 at the end of the stream, -1 when nothing is there.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public int TryPeek(Span<byte> buffer) => TryReceive(buffer, Libc.MSG_PEEK);

    /// <summary>Waits until something has arrived since the last look.</summary>
    public ValueTask WaitReadableAsync(CancellationToken cancellationToken)
    {
        Watch(Signals.Readable);
        return _readable.WaitAsync(cancellationToken);
    }

    /// <summary>Receives what is there, at least one byte; 0 at the end of the stream.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // A first try would be in vain most of the time, and what comes behind the wait runs where the tunnel will.
        if (_socket == NotWatched) await WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var received = TryReceive(buffer.Span, 0);
            _isDrained = received < buffer.Length;
            if (received >= 0) return received;
            await WaitReadableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends all.</summary>
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
            // Asked once more at once: on one machine a connection stands by then (connect(2), EALREADY otherwise).
            var error = TryConnect(address);
            if (error == Errno.EINPROGRESS) error = TryConnect(address);
            if (error == Errno.None) return;
            if (error is not (Errno.EINPROGRESS or Errno.EALREADY or Errno.EINTR)) throw error.ToSocketException();
            await WaitWritableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Says that nothing more will be sent (FIN).</summary>
    public void FinishSending() => _ = Libc.Shutdown(fd, Libc.SHUT_WR);

    /// <summary>
    /// Ends whatever waits or comes, with an <see cref="IOException"/>; the owner's dispose then breaks the connection. Does nothing once the
    /// descriptor was given on.
    /// </summary>
    public void Abort()
    {
        _isAborted = true;
        Signal(Signals.Readable | Signals.Writable | Signals.PeerLeft);
    }

    /// <summary>
    /// Closes behind an answer that the client must be able to read: bytes of its own that nobody took would make the kernel break the connection,
    /// and with it the answer on its way. So: FIN, then take what comes until the client has finished too, or for so long (RFC 9112 section 9.6); and
    /// again as long as it takes some of its answer meanwhile.
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
        var left = (signals & Signals.PeerLeft) != 0 ? Leave() : null; // Known before whoever reads goes on.
        if ((signals & Signals.Readable) != 0) _readable.Signal();
        if ((signals & Signals.Writable) != 0) _writable.Signal();
        left?.Cancel();
    }

    /// <summary>Gives the descriptor on, unwatched.</summary>
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

    /// <summary>Gives the descriptor on to the reactor itself.</summary>
    /// <exception cref="IOException">The kernel has no room to watch one more; the socket is still the caller's.</exception>
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
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Others wait for this thread.
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
