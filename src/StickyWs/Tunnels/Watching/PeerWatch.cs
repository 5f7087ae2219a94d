using StickyWs.Frames;

namespace StickyWs.Tunnels;

/// <summary>
/// What is known of one peer of a watched tunnel. Times are milliseconds of the clock of its relay. In the portable lane the peer is heard on one thread and
/// asked on another.
/// </summary>
/// <param name="isClient">Whether it is the client.</param>
internal sealed class PeerWatch(bool isClient)
{
    private readonly Lock _lock = new();
    private long _heardAt;
    private long _spokeAt;
    private long _pingedAt;
    private long _askedAt;
    private volatile OwnPing? _ping;
    private volatile bool _isDue;

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

    /// <summary>How much it had acknowledged when it was asked.</summary>
    public long Acknowledged { get; private set; }

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

    /// <summary>It is still taking what it was sent, and the ping may be behind that.</summary>
    public void Await(long now, long acknowledged)
    {
        Acknowledged = acknowledged;
        Volatile.Write(ref _askedAt, now);
    }

    /// <summary>
    /// Asks it. A Ping of the other side's own that it has not answered is question enough: a peer need answer only the last one (RFC 6455 section 5.5.3),
    /// and the other side waits for its own.
    /// </summary>
    /// <param name="ping">Gets the frame to send: at least <see cref="OwnPing.Longest"/> bytes.</param>
    /// <param name="now">The time.</param>
    /// <param name="acknowledged">What it has acknowledged so far.</param>
    /// <returns>The frame's length; 0 if there is none to send.</returns>
    public int Ask(Span<byte> ping, long now, long acknowledged)
    {
        _isDue = false;
        var isAskedByOther = Volatile.Read(ref _pingedAt) > HeardAt;
        Await(now, acknowledged); // First: the answer may be there at once.
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
