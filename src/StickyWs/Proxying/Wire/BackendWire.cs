using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace StickyWs.Proxying;

/// <summary>
/// Stands between the HTTP client and a connection to a backend, and corrects two things. On a connection that the backend has closed nothing is
/// sent, so that the request can go out on another. And an answer that comes while the request is still being sent, or stands before a break, is not
/// lost: a write that fails is not told, for the reader will meet either the answer or the break.
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
    /// <param name="age">How long it may be used.</param>
    /// <param name="kept">Who closes it when its descriptor is wanted, where these are limited.</param>
    public BackendWire(IWireLink link, ConnectionAge age, KeptConnections? kept)
    {
        (_link, _age, _kept) = (link, age, kept);
        _ahead = new InputAhead(link);
        kept?.Add(this);
    }

    private bool WasUsed => _request is not null;

    // The preface that an HTTP/2 client begins with (RFC 9113 section 3.4); no method of HTTP/1.1 has this name.
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n"u8;

    /// <summary>Writes; what cannot be sent any more is dropped.</summary>
    /// <exception cref="UnsentException">These would be the first bytes of a request, and the connection is closed.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_isHttp2) return WriteOnAsync(bytes, cancellationToken);
        var request = ProxiedRequest.Current;
        if (request is null || !ReferenceEquals(request, _request)) return BeginAsync(request, bytes, cancellationToken);
        return _isSpent ? default : WriteOnAsync(bytes, _stop.Token);
    }

    /// <summary>Reads. What answers a request without a body needs no watching: nothing is being sent that it could make needless.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_isHttp2 || (ProxiedRequest.Current is { Content: null } && !_ahead.HasBegun)) return _link.ReceiveAsync(buffer, cancellationToken);
        return ReadWatchedAsync(buffer, isAhead: !TryReadOn(), cancellationToken);
    }

    /// <summary>A request is over, which may have been the last one that was sent on it.</summary>
    public void Leave(ProxiedRequest request)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_request, request)) return;
            _isIdle = true;
            _age.Use();
        }
    }

    /// <summary>Closes it if no request is under way on it. One that comes in this moment is sent on another.</summary>
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

    /// <summary>The request is over whose sending was given up: the backend still waits for the rest, so nothing else may be sent.</summary>
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

    // The client has looked for itself, but what the kernel has may not have been told yet. On a connection that was in use a moment ago that can be
    // no more than an end right behind the answer, and then it repeats by itself a request without a body.
    private bool IsClosedTo(ProxiedRequest request)
        => _isSpent || _age.IsOver(out var isFresh) || _ahead.HasArrived || ((request.Content is not null || !isFresh) && _link.HasArrived);

    // Some connections throw at once, others return what failed.
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

    // A send that fails at once has taken nothing.
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
            // Given up meanwhile.
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

    /// <summary>A body is about to be sent: receives what the backend may say meanwhile.</summary>
    public void ReadAhead()
    {
        lock (_lock)
        {
            if (!_isReading && _scan.Final == 0) _ahead.Begin(ArrivedAhead);
        }
    }

    // From here on the reader receives, unless somebody has begun to again.
    private bool TryReadOn()
    {
        lock (_lock) return _isReading = !_ahead.HasBegun;
    }

    // Whether more is wanted of what arrives ahead of a reader.
    private bool Arrived(ReadOnlySpan<byte> bytes)
    {
        if (_request is not { } request) return false;
        if (_scan.Final != 0) return IsSending(request);
        _scan.Feed(bytes);
        if (_scan.Final >= 300 && IsSending(request) && !ConnectionAuthentication.GoesOn(_scan.Final, bytes)) GiveUp();
        return _scan.Final == 0 || IsSending(request);
    }

    // While nobody reads. At its end a connection takes no more of the request, whatever was answered.
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

/// <summary>What a <see cref="BackendWire"/> receives from and sends to: the connection to a backend, in clear or in TLS.</summary>
internal interface IWireLink
{
    /// <summary>Whether the kernel holds something from the backend, its end included.</summary>
    bool HasArrived { get; }

    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    void Close();
}

/// <summary>A connection to a backend was found closed before a byte of the request was sent.</summary>
internal sealed class UnsentException(bool isReused, Exception? inner = null) : IOException("The connection was closed before the request was sent.", inner)
{
    /// <summary>Whether the connection had served before, and so was simply too old; on a new one something is wrong with the backend.</summary>
    public bool IsReused => isReused;
}
