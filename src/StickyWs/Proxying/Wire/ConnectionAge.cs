using StickyWs.Configuration;

namespace StickyWs.Proxying;

/// <summary>How long a connection has been open and unused, against how long it may be: exactly, where the HTTP client looks every now and then.</summary>
internal sealed class ConnectionAge(KeptConnectionOptions limits, bool isEternal, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(20);

    private readonly long _openedAt = time.GetTimestamp();
    private long _usedAt = time.GetTimestamp();

    /// <summary>Whether it has been open or unused for too long.</summary>
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
