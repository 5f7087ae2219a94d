using StickyWs.Http1;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>
/// A client's connection in the direct lane: it takes one request after the other and passes each to its exchange. Bytes that it cannot use yet wait in
/// order, and the client with them. On the reactor's thread, except <see cref="Leave"/> and <see cref="Abort"/>.
/// </summary>
internal sealed partial class DirectClient : IStreamHandler
{
    // As much as Kestrel lets a client send ahead (KestrelServerLimits.MaxRequestBufferSize is larger, but holds bodies).
    private const int MostCarried = 64 * 1024;

    private readonly DirectDesk _desk;
    private readonly IRawConnection _connection;
    private readonly IArrivalFeatures _features;
    private readonly DirectExchange _exchange;
    private readonly TaskCompletionSource<Departure> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DirectSocket _socket = null!; // Lent at the beginning.
    private Phase _phase;
    private Carry _carry;
    private int _searched;
    private long _since;
    private bool _isUsing;
    private bool _isPaused;
    private bool _isFull;
    private bool _hasFinished;
    private bool _isLeaving;
    private bool _isUpgrade;

    public DirectClient(DirectDesk desk, IRawConnection connection, IArrivalFeatures features, string connectionId)
    {
        (_desk, _connection, _features, ConnectionId, Tuple) = (desk, connection, features, connectionId, connection.Tuple);
        Peer = new PeerText(Tuple.SourceAddress);
        _exchange = new DirectExchange(desk, this);
    }

    private enum Phase
    {
        /// <summary>Waits for a head.</summary>
        Idle,

        /// <summary>An exchange is under way.</summary>
        Busy,

        /// <summary>A request to the app is under way.</summary>
        InApp,

        /// <summary>What was received, and not used, goes to Kestrel, or to a tunnel, as soon as all that was sent is with the kernel.</summary>
        HandingOn,

        /// <summary>All was said: it is only waited for the client to have read it.</summary>
        Closing,

        /// <summary>Closed, or somebody else's.</summary>
        Over,
    }

    /// <summary>How it leaves.</summary>
    public Task<Departure> Done => _done.Task;

    public string ConnectionId { get; }

    public ConnectionTuple Tuple { get; }

    /// <summary>The peer of the connection.</summary>
    public PeerText Peer { get; }

    /// <summary>Whether it does not take what was sent.</summary>
    public bool IsFull => _isFull;

    /// <summary>Its index among the clients of the desk.</summary>
    public int Place { get; set; }

    /// <summary>Whether its connection is to end with the current exchange.</summary>
    public bool IsLeaving => _isLeaving || _hasFinished || _desk.Services.IsLeaving;

    /// <param name="tls">What its TLS handshake has led to; owned by the client from here on, unless this throws.</param>
    /// <exception cref="IOException">The kernel cannot watch another socket; the connection still owns it.</exception>
    public void Begin(TlsStart? tls)
    {
        var lent = _connection.Lend(Abort);
        _socket = new DirectSocket(_desk, this, lent, tls);
        _connection.NotePlain();
        _since = _desk.Reactor.Now;
        _desk.Add(this);
        _desk.Reactor.BeginStream(_socket.Number, this, isDrained: lent.IsDrained);
        if (_connection.Bare.IsAborted) Break(); // Before it was lent, or by a caller that did not see it.
        else if (tls is { } start) TakeFirst(start);
    }

    /// <summary>Sends part of an answer.</summary>
    /// <returns>Whether there is room for more; if not, the exchange is told when.</returns>
    public bool Send(ReadOnlySpan<byte> bytes)
    {
        if (_phase == Phase.Over || _socket.Send(bytes)) return true;
        NoteFull();
        return false;
    }

    /// <summary>The exchange is over, and with it perhaps the connection.</summary>
    public void ExchangeEnded(bool closes)
    {
        if (_phase != Phase.Busy) return;
        (_phase, _since) = (Phase.Idle, _desk.Reactor.Now);
        if (closes) BeginClosing();
        else UseCarry();
    }

    /// <summary>The exchange can take bytes of the request's body again.</summary>
    public void UseCarry()
    {
        if (_isUsing || _phase == Phase.Over) return;
        while (!_carry.IsEmpty)
        {
            var used = Use(_carry.Bytes);
            if (used == 0 || _phase is Phase.Closing or Phase.Over) break;
            _carry.Drop(used);
        }

        GoOn();
    }

    public void Received(int socket, in Piece piece)
    {
        if (_phase == Phase.Closing) return;
        _desk.Reactor.NoteMoved();
        if (piece.ComesInBulk && _phase == Phase.Busy && _exchange.IsLong) _desk.Reactor.ReceiveInBulk(socket);
        if (IsHttps) TakeRecords(piece.Bytes);
        else Take(piece.Bytes);
    }

    public void Finished(int socket)
    {
        if (_hasFinished) return;
        _hasFinished = true;
        if (_phase == Phase.Closing) TrySettle();
        else if (_socket.HoldsPart) Break(); // Not where the client has ended it.
        else GoOn();
    }

    public void Broken(int socket, Errno error) => Break();

    public void BrokenWhilePaused(int socket)
    {
        if (!_desk.Reactor.HadFinished(socket)) Break();
    }

    public void Stalled(int socket) => NoteFull();

    public void Sent(int socket)
    {
        _isFull = false;
        _exchange.NoteMoved();
        _exchange.ClientHasRoom();
        if (_phase is Phase.Closing or Phase.HandingOn) TrySettle();
        if (_phase == Phase.InApp) AppHasRoom();
        if (_phase != Phase.Idle) return;
        _since = _desk.Reactor.Now;
        UseCarry();
    }

    public void Spliced(int socket, int count)
    {
    }

    public void Fail(int socket) => Break();

    private void Take(ReadOnlySpan<byte> bytes)
    {
        if (_carry.IsEmpty)
        {
            bytes = bytes[Use(bytes)..];
            if (_phase is Phase.Closing or Phase.Over) return;
            _carry.Add(bytes);
            GoOn();
        }
        else
        {
            _carry.Add(bytes);
            UseCarry();
        }
    }

    // How many of the bytes were used. Whatever happens within, the memory of the bytes stays.
    private int Use(ReadOnlySpan<byte> bytes)
    {
        _isUsing = true;
        try
        {
            var used = 0;
            while (used < bytes.Length)
            {
                var taken = _phase switch
                {
                    Phase.Idle => _isFull ? 0 : TakeHead(bytes[used..]), // Answers must not pile up for a client that reads none.
                    Phase.Busy => _exchange.TakeBody(bytes[used..]),
                    Phase.InApp => _app!.TakeBody(bytes[used..]),
                    _ => 0,
                };
                if (taken == 0) break;
                used += taken;
            }

            return used;
        }
        finally
        {
            _isUsing = false;
            if (_phase is Phase.Closing or Phase.Over) _carry.Clear();
        }
    }

    private int TakeHead(ReadOnlySpan<byte> bytes)
    {
        var limits = _desk.Services.Limits;
        if (_searched == 0) _since = _desk.Reactor.Now;
        var verdict = DirectRequestParser.Parse(bytes, limits.Head, ref _searched, out var request);
        if (verdict == HeadVerdict.Incomplete) return 0;
        _searched = 0;
        _phase = Phase.Busy;
        if (verdict == HeadVerdict.Taken && _exchange.TryBegin(request, bytes[..request.HeadLength], limits)) return request.HeadLength;
        if (verdict == HeadVerdict.Taken && TryBeginInApp(request, bytes[..request.HeadLength], limits)) return request.HeadLength;
        (_phase, _isUpgrade) = (Phase.HandingOn, DirectRequestParser.AsksForWebSocket(bytes));
        return 0;
    }

    private void GoOn()
    {
        if (IsServed && _hasFinished) Break(); // Kestrel, too, takes a FIN for the end of what is under way: the backend is told.
        if (_phase == Phase.Busy && _hasClosed && _carry.IsEmpty && !_exchange.IsReceived) _exchange.BodyIsCut();
        if (_phase == Phase.InApp && _hasClosed && _carry.IsEmpty) _app!.BodyIsCut();
        if (_phase == Phase.Idle && (_hasFinished || _hasClosed))
        {
            if (_carry.IsEmpty) BeginClosing();
            else if (!_isFull) _phase = Phase.HandingOn; // Kestrel words what it thinks of half a head.
        }
        else if (_phase == Phase.Idle && _isLeaving && _carry.IsEmpty)
        {
            BeginClosing();
        }

        if (_phase == Phase.HandingOn) TrySettle();
        if (_phase is Phase.Idle || IsServed) SetPaused(!_carry.IsEmpty && MustWait);
    }

    // Whether it may send no more before something that it has sent was used.
    private bool MustWait => _isFull || (IsServed && (_carry.Length >= MostCarried || !IsReceived));

    private bool IsServed => _phase is Phase.Busy or Phase.InApp;

    private bool IsReceived => _phase == Phase.InApp ? _app!.IsReceived : _exchange.IsReceived;

    private void NoteFull()
    {
        if (_isFull) return;
        _isFull = true;
        _untaken = Untaken;
        _takesUntil = _desk.Services.Limits.AnswerRate is { } rate ? _desk.Reactor.Now + TimeFor(_untaken, rate) : long.MaxValue;
        _exchange.ClientIsFull();
    }

    private void SetPaused(bool isPaused)
    {
        if (isPaused == _isPaused) return;
        _isPaused = isPaused;
        if (isPaused) _desk.Reactor.Pause(_socket.Number);
        else _desk.Reactor.Resume(_socket.Number);
    }
}
