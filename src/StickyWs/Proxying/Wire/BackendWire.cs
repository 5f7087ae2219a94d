using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace StickyWs.Proxying;

/// <summary>
/// Sits between the HTTP client and a connection to a backend, and corrects two things. Nothing is sent on a connection that the backend has closed,
/// so that the request can use another one. And a response that arrives while the request is still being sent, or before a break, is not lost: a
/// failed write is not reported, because the reader will see either the response or the break.
/// </summary>
internal sealed class BackendWire : IDisposable
{
    private readonly IWireLink _link;
    private readonly ConnectionAge _age;
    private readonly KeptConnections? _kept;
    private readonly InputAhead _ahead;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private ProxiedRequest? _request;
    private AnswerScan _scan;
    private bool _isHttp2;
    private bool _isReading;
    private bool _isIdle;
    private bool _isClosed;
    private volatile bool _isSpent;

    /// <param name="link">The connection itself.</param>
    /// <param name="age">Tracks how long it may be used.</param>
    /// <param name="kept">Closes it when its descriptor is needed, if descriptors are limited.</param>
    public BackendWire(IWireLink link, ConnectionAge age, KeptConnections? kept)
    {
        (_link, _age, _kept) = (link, age, kept);
        _ahead = new InputAhead(link);
        kept?.Add(this);
    }

    private bool WasUsed => _request is not null;

    // The preface of an HTTP/2 connection (RFC 9113 section 3.4); no HTTP/1.1 method has this name.
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n"u8;

    /// <summary>Writes; bytes that can no longer be sent are dropped.</summary>
    /// <exception cref="UnsentException">These are the first bytes of a request, and the connection is closed.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_isHttp2) return WriteOnAsync(bytes, cancellationToken);
        var request = ProxiedRequest.Current;
        if (request is null || !ReferenceEquals(request, _request)) return BeginAsync(request, bytes, cancellationToken);
        return _isSpent ? default : WriteOnAsync(bytes, _stop.Token);
    }

    /// <summary>Reads. The response to a request without a body needs no read-ahead: nothing is being sent that it could make unnecessary.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_isHttp2 || (ProxiedRequest.Current is { Content: null } && !_ahead.HasBegun)) return _link.ReceiveAsync(buffer, cancellationToken);
        return ReadWatchedAsync(buffer, isAhead: !TryReadOn(), cancellationToken);
    }

    /// <summary>A request is over, possibly the last one that was sent on it.</summary>
    public void Leave(ProxiedRequest request)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_request, request)) return;
            _isIdle = true;
            _age.Use();
        }
    }

    /// <summary>Closes it if no request is in progress on it. A request that arrives at this moment uses another one.</summary>
    public bool TryCloseIdle()
    {
        lock (_lock)
        {
            if (!_isIdle || _isClosed) return false;
            _isClosed = true;
        }

        _link.Close();
        return true;
    }

    /// <summary>The request whose send was abandoned is over: the backend still waits for the rest, so nothing else may be sent.</summary>
    public void Close() => _link.Close();

    public void Dispose()
    {
        _kept?.Remove(this);
        _ahead.Dispose();
    }

    private ValueTask BeginAsync(ProxiedRequest? request, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!WasUsed && bytes.Span.StartsWith(Preface))
        {
            _isHttp2 = true;
            return WriteOnAsync(bytes, cancellationToken);
        }

        if (request is null) return SendAsync(bytes, cancellationToken);
        var isReused = WasUsed;
        if (!TryTake(request)) return ValueTask.FromException(new UnsentException(isReused: true));
        request.Connection = this;
        var sending = SendAsync(bytes, cancellationToken);
        return sending.IsCompletedSuccessfully ? sending : FirstAsync(sending, isReused, sending.IsCompleted);
    }

    private bool TryTake(ProxiedRequest request)
    {
        lock (_lock)
        {
            if (_isClosed || (WasUsed && IsClosedTo(request))) return false;
            (_request, _scan, _isIdle) = (request, default, false);
            return true;
        }
    }

    // The HTTP client has checked, but an end in the kernel may not have been reported yet. On a recently used connection that can only be an end right
    // after the response, and then the HTTP client itself repeats a request without a body.
    private bool IsClosedTo(ProxiedRequest request)
        => _isSpent || _age.IsOver(out var isFresh) || _ahead.HasArrived || ((request.Content is not null || !isFresh) && _link.HasArrived);

    // Some connections throw synchronously, others return a failed task.
    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            return _link.SendAsync(bytes, cancellationToken);
        }
        catch (IOException e)
        {
            return ValueTask.FromException(e);
        }
    }

    // A send that fails synchronously has sent nothing.
    private async ValueTask FirstAsync(ValueTask sending, bool isReused, bool isAtOnce)
    {
        try
        {
            await sending.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            if (isAtOnce) throw new UnsentException(isReused, e);
            GiveUp();
        }
    }

    private ValueTask WriteOnAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_isSpent) return default;
        var sending = SendAsync(bytes, cancellationToken);
        return sending.IsCompletedSuccessfully ? sending : FinishAsync(sending);
    }

    private async ValueTask FinishAsync(ValueTask sending)
    {
        try
        {
            await sending.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            GiveUp();
        }
        catch (OperationCanceledException) when (_isSpent)
        {
            // Abandoned meanwhile.
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadWatchedAsync(Memory<byte> buffer, bool isAhead, CancellationToken cancellationToken)
    {
        try
        {
            while (isAhead)
            {
                var taken = await _ahead.ReadAsync(buffer).ConfigureAwait(false);
                if (taken >= 0) return taken;
                isAhead = !TryReadOn();
            }

            var read = await _link.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            Arrived(buffer.Span[..read]);
            return read;
        }
        finally
        {
            _age.Use();
            _isReading = false;
        }
    }

    /// <summary>A body is about to be sent: starts to receive what the backend may send meanwhile.</summary>
    public void ReadAhead()
    {
        lock (_lock)
        {
            if (!_isReading && _scan.Final == 0) _ahead.Begin(ArrivedAhead);
        }
    }

    // From here on the reader receives, unless a read-ahead has started again.
    private bool TryReadOn()
    {
        lock (_lock) return _isReading = !_ahead.HasBegun;
    }

    // Returns whether to keep reading ahead.
    private bool Arrived(ReadOnlySpan<byte> bytes)
    {
        if (_request is not { } request) return false;
        if (_scan.Final != 0) return IsSending(request);
        _scan.Feed(bytes);
        if (_scan.Final >= 300 && IsSending(request) && !ConnectionAuthentication.GoesOn(_scan.Final, bytes)) GiveUp();
        return _scan.Final == 0 || IsSending(request);
    }

    // While there is no reader. At its end a connection takes no more of the request, whatever the response was.
    private bool ArrivedAhead(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty) return Arrived(bytes);
        if (_request is { } request && IsSending(request)) GiveUp();
        return false;
    }

    private bool IsSending(ProxiedRequest request) => !_isSpent && request.Content is { IsUnderWay: true };

    // Nothing more is sent: the backend takes nothing, or wants nothing.
    private void GiveUp()
    {
        if (_isSpent) return;
        _isSpent = true;
        if (_isHttp2) return;
        _stop.Cancel();
        _request?.GiveUpBody(this);
    }
}

/// <summary>The connection to a backend that a <see cref="BackendWire"/> reads from and writes to, with or without TLS.</summary>
internal interface IWireLink
{
    /// <summary>Whether the kernel holds data from the backend, including a FIN.</summary>
    bool HasArrived { get; }

    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    void Close();
}

/// <summary>A connection to a backend was found closed before a byte of the request was sent.</summary>
internal sealed class UnsentException(bool isReused, Exception? inner = null) : IOException("The connection was closed before the request was sent.", inner)
{
    /// <summary>Whether the connection had served before, and was simply too old; on a new one, something is wrong with the backend.</summary>
    public bool IsReused => isReused;
}
