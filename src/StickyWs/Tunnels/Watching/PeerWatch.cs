using StickyWs.Frames;

namespace StickyWs.Tunnels;

/// <summary>
/// What is known of one peer of a watched tunnel. Times are milliseconds of the clock of its relay. In the portable lane the peer is heard on one thread and
/// asked on another.
/// </summary>
/// <param name="isClient">Whether it is the client.</param>
internal sealed class PeerWatch(bool isClient)
{
    // How often a peer is waited for of which is not known whether it has the ping by now.
    private const int MostWaits = 4;

    private readonly Lock _lock = new();
    private long _heardAt;
    private long _spokeAt;
    private long _pingedAt;
    private long _askedAt;
    private volatile OwnPing? _ping;
    private volatile bool _isDue;
    private volatile bool _isOwed;
    private long _acknowledged;
    private long _pingAt;
    private int _waits;

    /// <summary>When its last byte came.</summary>
    public long HeardAt => Volatile.Read(ref _heardAt);

    /// <summary>When its last byte came that was for the other side.</summary>
    public long SpokeAt => Volatile.Read(ref _spokeAt);

    /// <summary>When it was last asked; before <see cref="HeardAt"/> if it has given a sign of life since.</summary>
    public long AskedAt => Volatile.Read(ref _askedAt);

    public bool IsAwaited => AskedAt > HeardAt;

    /// <summary>A ping of ours whose Pong may still come, and has to be taken out.</summary>
    public OwnPing? Ping => _ping;

    /// <summary>It is to be asked as soon as the other side is between two frames.</summary>
    public bool IsDue
    {
        get => _isDue;
        set => _isDue = value;
    }

    /// <summary>Its ping had to wait for room. It is to be asked then, whatever has come from it meanwhile.</summary>
    public bool IsOwed => _isOwed;

    /// <summary>How often a ping of ours was sent, or answered: bytes then moved that are nobody's.</summary>
    public int Rounds { get; private set; }

    public void Begin(long now)
    {
        Volatile.Write(ref _heardAt, now);
        Volatile.Write(ref _spokeAt, now);
        Volatile.Write(ref _pingedAt, now);
        Volatile.Write(ref _askedAt, now);
    }

    /// <summary>Bytes came from it.</summary>
    public void Hear(long now) => Volatile.Write(ref _heardAt, now);

    /// <summary>Bytes of it went to the other side.</summary>
    public void Speak(long now) => Volatile.Write(ref _spokeAt, now);

    /// <summary>The other side's own Ping goes to it.</summary>
    /// <param name="now">Not after it goes: its answer may be there at once.</param>
    public void NotePinged(long now) => Volatile.Write(ref _pingedAt, now);

    /// <summary>It cannot be heard, since nothing is received from it: its silence does not count.</summary>
    public void Excuse(long now)
    {
        Speak(now);
        if (IsAwaited) Volatile.Write(ref _askedAt, now);
        else Hear(now);
    }

    /// <summary>
    /// It is to be asked, but takes nothing, so the ping cannot be sent. Its time runs all the same, or one that never takes anything would never end.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="acknowledged">What it has acknowledged so far.</param>
    public void AwaitRoom(long now, long acknowledged)
    {
        _isOwed = true;
        Await(now, acknowledged, long.MaxValue);
        _isDue = true;
    }

    /// <summary>It has taken what it was sent. That is a sign of life, unless it is a ping that is waited for.</summary>
    public void NoteRoom(long now)
    {
        if (_isOwed && IsAwaited) Hear(now);
    }

    /// <summary>
    /// A slow reader gets to the ping only after all that was sent before it. It is waited for again as long as it takes some of that, and once more after
    /// the rest of it; what came behind the ping does not count.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="acknowledged">What it has acknowledged so far.</param>
    /// <returns>Whether it is waited for again.</returns>
    public bool TryAwait(long now, long acknowledged)
    {
        var before = Volatile.Read(ref _acknowledged);
        if (acknowledged == before || before >= Volatile.Read(ref _pingAt)) return false;
        Volatile.Write(ref _acknowledged, acknowledged);
        Volatile.Write(ref _askedAt, now);
        return true;
    }

    /// <summary>The same where it is unknown what it has acknowledged. What it takes may be behind the ping, so it is not waited for without end.</summary>
    /// <param name="now">The time.</param>
    /// <param name="passed">A number that grows whenever it has taken something.</param>
    /// <param name="isHeldUp">Whether it is to take something now.</param>
    public bool TryAwaitUnseen(long now, long passed, bool isHeldUp)
    {
        if ((passed == Volatile.Read(ref _acknowledged) && !isHeldUp) || ++_waits > MostWaits) return false;
        Volatile.Write(ref _acknowledged, passed);
        Volatile.Write(ref _askedAt, now);
        return true;
    }

    private void Await(long now, long acknowledged, long pingAt)
    {
        Volatile.Write(ref _acknowledged, acknowledged);
        Volatile.Write(ref _pingAt, pingAt);
        Volatile.Write(ref _waits, 0);
        Volatile.Write(ref _askedAt, now);
    }

    /// <summary>
    /// Asks it. A Ping of the other side's own that it has not answered is question enough: a peer need answer only the last one (RFC 6455 section 5.5.3),
    /// and the other side waits for its own.
    /// </summary>
    /// <param name="ping">Gets the frame to send: at least <see cref="OwnPing.Longest"/> bytes.</param>
    /// <param name="now">The time.</param>
    /// <param name="acknowledged">What it has acknowledged so far.</param>
    /// <param name="pingAt">What it will have acknowledged when the ping is the next that it gets.</param>
    /// <returns>The frame's length; 0 if there is none to send.</returns>
    public int Ask(Span<byte> ping, long now, long acknowledged, long pingAt)
    {
        _isDue = false;
        _isOwed = false;
        var isAskedByOther = Volatile.Read(ref _pingedAt) > HeardAt;
        Await(now, acknowledged, pingAt); // First: the answer may be there at once.
        if (isAskedByOther) return 0;
        lock (_lock)
        {
            Rounds++;
            return (_ping ??= new OwnPing(isClient)).Write(ping);
        }
    }

    /// <summary>Lets go of the ping if its Pong has come. Called by the one that takes it out.</summary>
    public void Settle()
    {
        lock (_lock)
        {
            if (_ping is not { IsAnswered: true }) return;
            Rounds++;
            _ping = null;
        }
    }
}
