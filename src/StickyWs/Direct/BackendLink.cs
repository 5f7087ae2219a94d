using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>
/// A connection to a backend: it carries one exchange at a time, or is kept idle. What arrives is an answer only if one is due; anything else ends the
/// connection, so that no answer ever reaches another request. On the reactor's thread.
/// </summary>
internal sealed partial class BackendLink : IStreamHandler
{
    private readonly DirectDesk _desk;
    private readonly DirectSocket _socket;
    private readonly long _openedAt;
    private DirectExchange? _exchange;
    private long _idleSince;
    private Carry _carry;
    private uint _beganIn;
    private long _isKeptFor = long.MaxValue;
    private bool _hasBytes;
    private bool _hasHead;
    private bool _keeps;
    private bool _isRefused;
    private bool _isFull;
    private bool _isAnswered;
    private bool _isSpent;
    private bool _isPaused;
    private bool _isGone;

    /// <summary>Takes over a connection.</summary>
    /// <exception cref="IOException">The kernel cannot watch another socket; the caller still owns it.</exception>
    public BackendLink(DirectDesk desk, Backend backend, RawBackendConnection connection)
    {
        var watched = connection.Socket.ReleaseWatched();
        var tls = connection.TakeTls(out _sessions);
        (_desk, Backend, _socket) = (desk, backend, new DirectSocket(desk, this, watched, tls));
        IsUsable = tls is null or { Plain.IsEmpty: true, End.Status: TlsStatus.Open };
        _openedAt = Now;
        desk.Services.Budget?.AddPooled();
        desk.Reactor.BeginStream(watched.Number, this, isDrained: watched.IsDrained);
    }

    public Backend Backend { get; }

    /// <summary>Asks for its two ends; <see langword="null"/> once it is broken.</summary>
    public ConnectionTuple? ReadTuple()
        => _desk.Reactor.LocalAddress(_socket.Number) is { } local && _desk.Reactor.RemoteAddress(_socket.Number) is { } remote
            ? new ConnectionTuple(local, remote)
            : null;

    /// <summary>Whether it may take no further exchange.</summary>
    public bool IsTooOld => _isSpent || Now - _openedAt >= (long)Backend.Options.Connections.Lifetime.TotalMilliseconds;

    /// <summary>Whether it is to be closed, being idle.</summary>
    public bool IsOverdue => IsTooOld || Now - _idleSince >= Math.Min(_isKeptFor, (long)Backend.Options.Connections.IdleTimeout.TotalMilliseconds);

    /// <summary>Whether nothing has come since its last answer.</summary>
    public bool IsQuiet => !_isGone && _socket.IsQuiet;

    /// <summary>Whether the backend, or the kernel, still has to take what was sent.</summary>
    public bool HasTaken => _isGone || _socket.HasTaken;

    // The application's clock, as the pools' of the pipeline: their tests set it forward.
    private long Now => (long)_desk.Services.Time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>An exchange begins: what comes from now on is its answer.</summary>
    public void Begin(DirectExchange exchange)
    {
        (_exchange, _beganIn) = (exchange, _desk.Turn);
        (_hasBytes, _hasHead, _keeps, _isAnswered, _searched) = (false, false, false, false, 0);
        (_hasContinue, _isRefused, _interimBytes) = (false, false, 0);
    }

    /// <summary>Sends part of the request, unless the backend has refused it: it may take the rest for another one.</summary>
    /// <returns>Whether there is room for more; if not, the exchange is told when.</returns>
    public bool Send(ReadOnlySpan<byte> bytes)
    {
        if (_isRefused || _socket.Send(bytes)) return true;
        _isFull = true;
        return false;
    }

    public void Pause()
    {
        if (_isPaused || _isGone) return;
        _isPaused = true;
        _desk.Reactor.Pause(_socket.Number);
    }

    public void Resume()
    {
        if (!_isPaused || _isGone) return;
        _isPaused = false;
        _desk.Reactor.Resume(_socket.Number);
    }

    /// <summary>All of the request was sent, perhaps behind its answer.</summary>
    public void RequestEnded()
    {
        if (_isAnswered && _exchange is { } exchange) Finish(exchange, isWhole: true);
    }

    /// <summary>Leaves it to the next exchange.</summary>
    public void Keep()
    {
        Resume();
        _idleSince = Now;
        _desk.Kept.Add(this);
    }

    /// <summary>Closes it. The exchange, if there is one, is not told.</summary>
    public void Close(bool isReset)
    {
        if (_isGone) return;
        (_isGone, _exchange) = (true, null);
        _carry.Clear();
        _desk.Services.Budget?.Unpool();
        _socket.Close(isReset);
    }

    public void Received(int socket, in Piece piece)
    {
        _desk.Reactor.NoteMoved();
        // What was not sent yet cannot have an answer: these bytes were on their way before. Nor can what was sent since the kernel filled its buffers.
        var isEarly = _exchange is not null && !_hasBytes && _beganIn == _desk.Turn && (piece.Buffer != Piece.NoBuffer || !_socket.HasTaken);
        if (_exchange is not null && piece.ComesInBulk && _body.IsLong) _desk.Reactor.ReceiveInBulk(socket);
        if (_socket.Tls is null) Take(piece.Bytes, isEarly);
        else TakeRecords(piece.Bytes, isEarly);
    }

    public void Finished(int socket)
    {
        if (_exchange is not { } exchange) Drop(isReset: false);
        else if (_isAnswered) Finish(exchange, isWhole: false);
        else if (_hasHead && _body.IsOpen && !_socket.AwaitsCloseNotify) Finish(exchange, isWhole: false);
        else Fail(exchange, _hasHead ? AnswerEnd.Broken : AnswerEnd.None);
    }

    public void Broken(int socket, Errno error)
    {
        if (_exchange is not { } exchange) Drop(isReset: true);
        else if (_isAnswered) Finish(exchange, isWhole: false);
        else Fail(exchange, _hasHead ? AnswerEnd.Broken : AnswerEnd.None);
    }

    public void Stalled(int socket)
    {
        _isFull = true;
        _exchange?.LinkIsFull();
    }

    public void Sent(int socket)
    {
        _isFull = false;
        _exchange?.LinkHasRoom();
    }

    // What it sent before it broke is still for the client.
    public void BrokenWhilePaused(int socket)
    {
    }

    public void Spliced(int socket, int count)
    {
    }

    public void Fail(int socket)
    {
        if (_exchange is { } exchange) Fail(exchange, _hasHead ? AnswerEnd.Broken : AnswerEnd.None);
        else Drop(isReset: true);
    }

    private void Take(ReadOnlySpan<byte> bytes, bool isEarly)
    {
        if (_exchange is not { } exchange)
        {
            Drop(isReset: true);
            return;
        }

        if (isEarly)
        {
            Fail(exchange, AnswerEnd.Bad);
            return;
        }

        if (_isAnswered)
        {
            Finish(exchange, isWhole: false);
            return;
        }

        _hasBytes = true;
        exchange.NoteMoved();
        if (_hasHead) TakeBody(exchange, bytes);
        else if (_carry.IsEmpty) TakeHeads(exchange, bytes);
        else
        {
            _carry.Add(bytes);
            var carry = _carry; // The exchange may end, and another begin, within the call.
            _carry = default;
            TakeHeads(exchange, carry.Bytes);
            carry.Clear();
        }
    }

    // Bytes behind an answer belong to nobody, and so the connection to nobody either. Nor does one whose backend did not get all of the request, or
    // does not take it.
    private void Finish(DirectExchange exchange, bool isWhole)
    {
        (_exchange, _isAnswered) = (null, false);
        _isSpent = !(isWhole && _keeps) || IsTooOld || _desk.Services.IsLeaving;
        if (!exchange.IsReceived || _isRefused || _isFull) Close(isReset: true);
        else if (_isSpent && HasTaken) Close(isReset: false);
        else Keep(); // What was sent last has yet to leave.
        exchange.AnswerEnded(AnswerEnd.Whole);
    }

    private void Fail(DirectExchange exchange, AnswerEnd end)
    {
        Close(isReset: true);
        exchange.AnswerEnded(end);
    }

    private void Drop(bool isReset)
    {
        _desk.Kept.Remove(this);
        Close(isReset);
    }
}
