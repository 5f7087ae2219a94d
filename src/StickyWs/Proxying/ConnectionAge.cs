using StickyWs.Configuration;

namespace StickyWs.Proxying;

/// <summary>How long a connection has been open and unused, against how long it may be: exactly, where the HTTP client looks every now and then.</summary>
internal sealed class ConnectionAge(KeptConnectionOptions limits, bool isEternal, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(20);

    private readonly long _openedAt = time.GetTimestamp();
    private long _usedAt = time.GetTimestamp();

    public bool IsOver => time.GetElapsedTime(_usedAt) > limits.IdleTimeout || (!isEternal && time.GetElapsedTime(_openedAt) > limits.Lifetime);

    /// <summary>Whether it was in use a moment ago.</summary>
    public bool IsFresh => time.GetElapsedTime(_usedAt) < Fresh;

    public void Use() => _usedAt = time.GetTimestamp();
}
