namespace StickyWs.Backends;

/// <summary>
/// A rate with a small burst, as one number without a lock: when the next token is due if none had been saved up (the virtual scheduling form of the
/// generic cell rate algorithm, ITU-T I.371). A tenth of a second's tokens may be saved up, and at least one.
/// </summary>
internal sealed class TokenBucket(double perSecond, TimeProvider time)
{
    private const double BurstSeconds = 0.1;

    // In units of the clock: from one token to the next, and how much earlier than due a saved one may be taken.
    private readonly long _interval = Math.Max(1, (long)(time.TimestampFrequency / perSecond));
    private readonly long _saved = (long)(Math.Max(0, Math.Ceiling(perSecond * BurstSeconds) - 1) * time.TimestampFrequency / perSecond);
    private long _due = long.MinValue / 2;

    /// <summary>Tokens per second.</summary>
    public double PerSecond => perSecond;

    /// <summary>How long it takes until there is a token; zero if there is one.</summary>
    public TimeSpan Wait
    {
        get
        {
            var units = Volatile.Read(ref _due) - _saved - time.GetTimestamp();
            return units > 0 ? time.GetElapsedTime(0, units) : TimeSpan.Zero;
        }
    }

    /// <summary>Whether there is a token.</summary>
    public bool HasToken => Wait == TimeSpan.Zero;

    /// <summary>Takes a token if there is one.</summary>
    /// <param name="share">The part of the rate that is allowed at present, in thousandths.</param>
    public bool TryTake(int share = Backend.WholeShare)
    {
        var now = time.GetTimestamp();
        var due = Volatile.Read(ref _due);
        while (true)
        {
            var from = Math.Max(due, now);
            if (from - now > _saved) return false;
            var before = Interlocked.CompareExchange(ref _due, from + Interval(share), due);
            if (before == due) return true;
            due = before;
        }
    }

    /// <summary>Gives a token back that was not used.</summary>
    public void PutBack(int share = Backend.WholeShare) => Interlocked.Add(ref _due, -Interval(share));

    /// <summary>Another rate, which begins with one token: a change of the rate brings no burst.</summary>
    public TokenBucket At(double rate)
    {
        var bucket = new TokenBucket(rate, time);
        bucket._due = time.GetTimestamp() + bucket._saved;
        return bucket;
    }

    private long Interval(int share) => _interval * Backend.WholeShare / share;
}
