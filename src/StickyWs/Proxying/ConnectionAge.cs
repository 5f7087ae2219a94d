using StickyWs.Configuration;

namespace StickyWs.Proxying;

/// <summary>How long a connection has been open and unused, against how long it may be: exactly, where the HTTP client looks every now and then.</summary>
internal sealed class ConnectionAge(KeptConnectionOptions limits, bool isEternal, TimeProvider time)
{
    private readonly long _openedAt = time.GetTimestamp();
    private long _usedAt = time.GetTimestamp();

    public bool IsOver => time.GetElapsedTime(_usedAt) > limits.IdleTimeout || (!isEternal && time.GetElapsedTime(_openedAt) > limits.Lifetime);

    public void Use() => _usedAt = time.GetTimestamp();
}
