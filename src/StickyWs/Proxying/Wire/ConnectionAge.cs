using StickyWs.Configuration;

namespace StickyWs.Proxying;

/// <summary>Checks a connection's age and idle time against their limits, on every use; the HTTP client checks only periodically.</summary>
internal sealed class ConnectionAge(KeptConnectionOptions limits, bool isEternal, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(20);

    private readonly long _openedAt = time.GetTimestamp();
    private long _usedAt = time.GetTimestamp();

    /// <summary>Whether it has been open or idle for too long.</summary>
    /// <param name="isFresh">Whether it was in use a moment ago.</param>
    public bool IsOver(out bool isFresh)
    {
        var now = time.GetTimestamp();
        var idle = time.GetElapsedTime(_usedAt, now);
        isFresh = idle < Fresh;
        return idle > limits.IdleTimeout || (!isEternal && time.GetElapsedTime(_openedAt, now) > limits.Lifetime);
    }

    public void Use() => _usedAt = time.GetTimestamp();
}
