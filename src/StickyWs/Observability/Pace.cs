namespace StickyWs.Observability;

/// <summary>Lets one event through per interval: a warning whose cause lasts must not fill the log.</summary>
internal sealed class Pace(TimeProvider time, TimeSpan between)
{
    private readonly Lock _lock = new();
    private long? _last;

    /// <summary>One per minute.</summary>
    public static Pace OfWarnings(TimeProvider time) => new(time, TimeSpan.FromMinutes(1));

    public bool TryPass()
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            if (_last is { } last && time.GetElapsedTime(last, now) < between) return false;
            _last = now;
            return true;
        }
    }
}
