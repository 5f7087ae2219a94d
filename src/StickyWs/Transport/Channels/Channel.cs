using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Transport;

/// <summary>
/// A socket of the raw lane that carries neither a handshake nor a tunnel, but a byte stream for .NET code: a client of Kestrel, or a backend of an
/// HTTP client. Its reactor receives into a pipe, and stops while that is full; sends are tried at once, on the sender's thread. It has one owner,
/// who closes it.
/// </summary>
#pragma warning disable CA1001 // The lent socket is closed with the channel.
internal sealed partial class Channel : IStreamHandler
#pragma warning restore CA1001
{
    private readonly Reactor _reactor;
    private readonly IChannelOwner _owner;
    private readonly bool _isReadToTheEnd;
    private readonly bool _isStreaming;
    private readonly Pipe _pipe;
    private readonly MemoryPool<byte> _memory;
    private readonly Lock _lock = new();
    private readonly int _fd;
    private readonly int _socket;

    // Guarded by the lock.
    private bool _isClosed;
    private Exception? _reason;
    private Socket? _lent;

    // Used on the reactor's thread only.
    private bool _isFull;
    private volatile bool _isFinished;
    private bool _hasEnded;

    /// <param name="socket">A connected socket; owned by the channel from here on.</param>
    /// <param name="owner">Notified when nothing more will arrive.</param>
    /// <param name="input">How much may be buffered, in which memory, and where readers continue.</param>
    /// <param name="isReadToTheEnd">
    /// Whether what arrived before a break can still be read, with the break as <see cref="Failure"/> after it: there may be a response before it. If
    /// not, the break is reported at once, and unread bytes are lost.
    /// </param>
    /// <param name="tls">The TLS end between socket and pipe, if there is one; owned by the channel from here on.</param>
    /// <param name="early">Without TLS: what was received already. It comes first.</param>
    /// <exception cref="IOException">The kernel cannot watch another socket; the caller still owns everything.</exception>
    public Channel(
        RawSocket socket, IChannelOwner owner, PipeOptions input, bool isReadToTheEnd, TlsStart? tls = null, ReadOnlyMemory<byte> early = default)
    {
        (_reactor, _owner, _isReadToTheEnd) = (socket.Reactor, owner, isReadToTheEnd);
        (_pipe, _memory) = (new Pipe(input), input.Pool);
        (_fd, _socket, _) = socket.ReleaseWatched();
        _tls = tls?.End;
        _owed.Append((tls?.Owed ?? default).Span);
        var first = tls?.Plain ?? early;
        if (!first.IsEmpty) Writer.Write(first.Span); // Or the pipe would take memory for nothing.
    }

    /// <summary>A channel over a socket that streams already; what was received comes first. On the reactor's thread.</summary>
    /// <param name="socket">The socket; owned by the channel from <see cref="Start"/> on, which must follow at once.</param>
    /// <param name="owner">Notified when nothing more will arrive.</param>
    /// <param name="input">How much may be buffered, in which memory, and where readers continue.</param>
    public Channel(in StreamingSocket socket, IChannelOwner owner, PipeOptions input)
    {
        (_reactor, _fd, _socket, _owner) = (socket.Reactor, socket.Fd, socket.Number, owner);
        (_pipe, _memory) = (new Pipe(input), input.Pool);
        (_isStreaming, _hasFin, _tls) = (true, socket.HasFinished, socket.Tls);
        _owed.Append(socket.Owed.Span);
        Writer.Write(socket.Prefix.Span);
    }

    /// <summary>The received bytes.</summary>
    public PipeReader Input => _pipe.Reader;

    /// <summary>Why the input ended: the connection broke, or was closed. <see langword="null"/> if the peer has finished, and until then.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>
    /// Whether the peer is known to have finished (FIN), though what it sent before may not have been received yet; from then on a break loses none
    /// of it.
    /// </summary>
    public bool HasPeerFinished => _isFinished || _fault == Errno.EPIPE;

    /// <summary>The socket, for callers that read or set its options, with a descriptor of its own; closed together with the channel.</summary>
    public Socket Socket
    {
        get
        {
            lock (_lock)
            {
                if (_lent is not null) return _lent;
                var fd = _isClosed ? -1 : Libc.FileControl(_fd, Libc.F_DUPFD_CLOEXEC, 0);
                if (fd >= 0) return _lent = new Socket(new SafeSocketHandle(fd, ownsHandle: true));
                _lent = new Socket(SocketType.Stream, ProtocolType.Tcp);
                _lent.Dispose();
                return _lent;
            }
        }
    }

    /// <summary>Reads a socket option (getsockopt(2)).</summary>
    /// <returns>The number of bytes; 0 if it cannot be read.</returns>
    public unsafe int GetOption(int level, int name, Span<byte> value)
    {
        var length = (uint)value.Length;
        fixed (byte* start = value)
        {
            lock (_lock) return !_isClosed && Libc.GetOption(_fd, level, name, start, &length) == 0 ? (int)length : 0;
        }
    }

    /// <summary>Bytes in the kernel's receive buffer that have not been received yet.</summary>
    public unsafe int Available
    {
        get
        {
            var count = 0;
            lock (_lock) return !_isClosed && Libc.Control(_fd, Libc.SIOCINQ, &count) == 0 ? count : 0;
        }
    }

    public void SetDeadPeerTimeout(int milliseconds)
    {
        lock (_lock)
        {
            if (!_isClosed) SocketOptions.SetDeadPeerTimeout(_fd, milliseconds);
        }
    }

    private PipeWriter Writer => _pipe.Writer;

    /// <summary>Starts to receive.</summary>
    public void Start() => Run(() =>
    {
        if (_isStreaming)
        {
            TakeOver();
            return;
        }

        if (_isClosed) return; // Before this ran.
        _reactor.BeginStream(_socket, this);
        if (Writer.UnflushedBytes > 0) Feed();
        if (_tls is { Status: TlsStatus.PeerClosed } && !_hasEnded) FinishTls();
    });

    private void TakeOver()
    {
        _reactor.ChangeHandler(_socket, this);
        if (Writer.UnflushedBytes > 0) Feed();
        if (_hasFin) ((IStreamHandler)this).Finished(_socket);
        else if (_tls is { Status: TlsStatus.PeerClosed } && !_hasEnded) FinishTls();
        else if (!_isFull && !_hasEnded) _reactor.Resume(_socket);
    }

    // Runs on the reactor's thread; an unexpected exception closes the channel.
    private void Run(Action work) => _reactor.Run(() =>
    {
        try
        {
            work();
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            _reactor.Failed(e);
            Close(new IOException("The connection's reactor failed unexpectedly.", e), isReset: true);
        }
    });

    void IStreamHandler.Received(int socket, in Piece piece)
    {
        if (_hasEnded) return;
        _reactor.NoteMoved();
        if (_tls is null) Writer.Write(piece.Bytes);
        else if (!Open(piece.Bytes)) return;
        if (!_isFull) Feed();
    }

    // A FIN without a close_notify is taken for an end, as by the runtime's SslStream; within a record it is none.
    void IStreamHandler.Finished(int socket)
    {
        _hasFin = true;
        var isCut = _tls is { HoldsPart: true } && !_isFinished;
        _isFinished = true;
        if (isCut) End(new IOException("The connection was closed in the middle of a TLS record."));
        else if (!_isFull) End(null);
    }

    // A send may already have consumed the socket's error.
    void IStreamHandler.Broken(int socket, Errno error)
    {
        if (_isHeldOpen)
        {
            FinishClosing(isReset: true);
            return;
        }

        if (_isFinished)
        {
            if (_hasEnded) Tell();
            return;
        }

        if (HasPeerFinished) ((IStreamHandler)this).Finished(socket);
        else if (error != Errno.None) Break(error);
        else if (_isReadToTheEnd) End(null);
        else Break(Errno.ECONNRESET);
    }

    void IStreamHandler.BrokenWhilePaused(int socket)
    {
        if (!_isReadToTheEnd && !HasPeerFinished && !_reactor.HadFinished(socket)) Break(Errno.ECONNRESET);
    }

    void IStreamHandler.Sent(int socket)
    {
        _outbox?.Retry();
        if (_tls is not null)
        {
            lock (_sealing) SendOwed();
        }

        _room.Signal();
    }

    // A channel forwards nothing and sends by itself.
    void IStreamHandler.Spliced(int socket, int count)
    {
    }

    void IStreamHandler.Stalled(int socket)
    {
    }

    void IStreamHandler.Fail(int socket)
    {
        FinishClosing(isReset: true);
        Close(new IOException("The connection's reactor has stopped."), isReset: true);
    }

    // Hands received bytes over to the reader, and stops receiving while the pipe is full.
    private void Feed()
    {
        var feeding = FlushAsync();
        if (feeding.IsCompletedSuccessfully)
        {
            if (!feeding.Result) Abandon();
            return;
        }

        if (_hasEnded) return; // Readers may run within the flush.
        _isFull = true;
        _reactor.Pause(_socket);
        _ = AwaitReaderAsync(feeding);
    }

    // Whether the reader still reads.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FlushAsync()
    {
        try
        {
            return !(await Writer.FlushAsync().ConfigureAwait(false)).IsCompleted;
        }
#pragma warning disable CA1031 // The exception is the reason the reader completed with; the reader knows it.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    private async Task AwaitReaderAsync(ValueTask<bool> feeding)
    {
        var isRead = await feeding.ConfigureAwait(false);
        Run(() => Fed(isRead));
    }

    private void Fed(bool isRead)
    {
        _isFull = false;
        if (_hasEnded) return;
        if (!isRead) Abandon();
        else if (!_isFinished) GoOn();
        else if (_tls is null || _hasFin) End(null);
        else FinishTls();
    }

    // More may have arrived while the pipe was full.
    private void GoOn()
    {
        if (Writer.UnflushedBytes > 0) Feed();
        if (!_isFull && !_hasEnded) _reactor.Resume(_socket);
    }
}
