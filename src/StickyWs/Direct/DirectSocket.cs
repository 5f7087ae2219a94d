using StickyWs.Reactors;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>
/// A streaming socket of the direct lane as its owner sees it: plain bytes, whether TLS is spoken on it or not. With TLS, what is sent waits for the end of
/// the reactor's turn, so that it makes few records. Owns the socket and the TLS end. On the reactor's thread.
/// </summary>
internal sealed class DirectSocket
{
    // A whole record: with as much, there is nothing to wait for.
    private const int MostUnsealed = 16 * 1024;

    // A TLS end's replies (refused renegotiations, OpenSSL's KeyUpdates) that its peer does not take. With more, the peer is given up.
    private const int MostReplies = 64 * 1024;

    private readonly DirectDesk _desk;
    private readonly IStreamHandler _owner;
    private readonly int _fd;
    private readonly TlsEnd? _tls;
    private ReadOnlyMemory<byte> _owed;
    private Carry _unsealed;
    private int _replies;
    private bool _isListed;
    private bool _isFinished;
    private bool _hasFailed;
    private bool _isGone;

    /// <param name="desk">The lane on its reactor.</param>
    /// <param name="owner">Is told what happens at the socket, once it streams for it.</param>
    /// <param name="socket">The socket; owned by this from here on.</param>
    /// <param name="tls">Its TLS end, whose plain bytes are the caller's; owned by this from here on.</param>
    public DirectSocket(DirectDesk desk, IStreamHandler owner, in WatchedSocket socket, TlsStart? tls = null)
    {
        (_desk, _owner, _fd, Number) = (desk, owner, socket.Fd, socket.Number);
        if (tls is { } start) (_tls, _owed) = (start.End, start.Owed);
    }

    /// <summary>The reactor's number for it.</summary>
    public int Number { get; }

    /// <summary>Its TLS end; <see langword="null"/> without TLS.</summary>
    public TlsEnd? Tls => _tls;

    /// <summary>Whether part of a record has come: an end now would be a truncation.</summary>
    public bool HoldsPart => _tls is { Status: TlsStatus.Open, HoldsPart: true };

    /// <summary>Whether an end without a word of the peer's TLS may be somebody else's.</summary>
    public bool AwaitsCloseNotify => _tls is { Status: not TlsStatus.PeerClosed };

    /// <summary>Whether nothing has come that was not passed on, and nothing is wrong with it.</summary>
    public bool IsQuiet => _tls is null or { Status: TlsStatus.Open, HoldsPart: false } && !_hasFailed && _desk.Reactor.IsQuiet(Number);

    /// <summary>Whether all that was sent is with the kernel, or can no longer be delivered. Not after a failure of which the owner has yet to hear.</summary>
    public bool HasTaken => _unsealed.IsEmpty && !_hasFailed && _desk.Reactor.HasTaken(Number);

    private bool CanSeal => _tls!.Status is TlsStatus.Open or TlsStatus.PeerClosed && !_isFinished && !_isGone && !_desk.Reactor.IsDeaf(Number);

    /// <summary>Sends bytes. They are copied. A peer that is gone takes everything, for nothing.</summary>
    /// <returns>Whether there is room for more; if not, the owner is told when. It may also be told later that there is none.</returns>
    public bool Send(ReadOnlySpan<byte> bytes)
    {
        if (_tls is null) return _desk.Reactor.Append(Number, bytes) || _desk.Reactor.IsDeaf(Number);
        if (bytes.Length < MostUnsealed)
        {
            _unsealed.Add(bytes);
            List();
            return _unsealed.Length < MostUnsealed || TrySeal();
        }

        var hasRoom = TrySeal();
        return TrySeal(bytes) && hasRoom;
    }

    /// <summary>Seals what the turn has left. At its end.</summary>
    public void EndTurn()
    {
        _isListed = false;
        if (_isGone) return;
        if (!TrySeal()) _owner.Stalled(Number);
        if (_hasFailed && !_isGone) _owner.Fail(Number);
    }

    /// <summary>After a defect: the owner is to close it.</summary>
    public void Abandon()
    {
        if (!_isGone) _owner.Fail(Number);
    }

    /// <summary>Opens what has arrived. What the TLS end itself has to say to it is sent. The plain bytes are valid until the next call, of any.</summary>
    public TlsStep Open(ReadOnlySpan<byte> bytes)
    {
        var step = _tls!.Receive(bytes);
        if (step.ToPeer.IsEmpty) return step;
        if (TryWrite(step.ToPeer)) _replies = 0;
        else if ((_replies += step.ToPeer.Length) > MostReplies) Fail();
        return step;
    }

    /// <summary>Ends our direction in order: close_notify, then FIN, after everything that was sent.</summary>
    public void FinishSending()
    {
        SayCloseNotify();
        _desk.Reactor.FinishSending(Number);
    }

    /// <summary>Closes it. In order, what the kernel does not take at once is lost.</summary>
    public void Close(bool isReset)
    {
        if (_isGone) return;
        if (!isReset) SayCloseNotify();
        _isGone = true;
        _unsealed.Clear();
        _tls?.Dispose();
        _desk.Reactor.Close(Number, isReset);
    }

    /// <summary>Hands it over to a channel, when all that was sent is with the kernel.</summary>
    /// <param name="prefix">What was received and not used.</param>
    /// <param name="hasFinished">Whether the peer's FIN came behind that.</param>
    public StreamingSocket Release(ReadOnlyMemory<byte> prefix, bool hasFinished)
    {
        _isGone = true;
        return new StreamingSocket(_desk.Reactor, _fd, Number, prefix, hasFinished, _tls, _owed);
    }

    /// <summary>Lets it go, when its connection has it back as a bare socket, which also has the peer's FIN if that came.</summary>
    /// <param name="prefix">What was received and not used.</param>
    public Departure Leave(ReadOnlyMemory<byte> prefix)
    {
        _isGone = true;
        return new Departure(DepartureWay.ToTunnel, prefix, _tls, _owed);
    }

    private bool TrySeal()
    {
        if (_unsealed.IsEmpty) return true;
        var hasRoom = TrySeal(_unsealed.Bytes);
        _unsealed.Clear();
        return hasRoom;
    }

    private bool TrySeal(ReadOnlySpan<byte> plain)
    {
        if (!CanSeal) return true;
        var records = _tls!.Seal(plain);
        if (_tls.Status != TlsStatus.Failed) return TryAppend(records);
        Fail();
        return true;
    }

    private void SayCloseNotify()
    {
        if (_tls is null) return;
        TrySeal();
        if (CanSeal) TryWrite(_tls.Close());
        _isFinished = true;
    }

    // Records that are owed have their numbers already.
    private bool TryAppend(ReadOnlySpan<byte> records)
    {
        if (records.IsEmpty) return true;
        return (_owed.IsEmpty ? _desk.Reactor.Append(Number, records) : _desk.Reactor.Append(Number, WithOwed(records))) || _desk.Reactor.IsDeaf(Number);
    }

    // At once, where nothing is under way: the socket may be closed next.
    private bool TryWrite(ReadOnlySpan<byte> records)
    {
        if (records.IsEmpty) return true;
        return (_owed.IsEmpty ? _desk.Reactor.Write(Number, records) : _desk.Reactor.Write(Number, WithOwed(records))) || _desk.Reactor.IsDeaf(Number);
    }

    private byte[] WithOwed(ReadOnlySpan<byte> records)
    {
        byte[] all = [.. _owed.Span, .. records];
        _owed = default;
        return all;
    }

    // The owner is in the middle of something: it is told at the end of the turn.
    private void Fail()
    {
        _hasFailed = true;
        List();
    }

    private void List()
    {
        if (_isListed) return;
        _isListed = true;
        _desk.AwaitEnd(this);
    }
}
