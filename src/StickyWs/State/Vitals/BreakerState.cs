namespace StickyWs.State;

/// <summary>What a backend's circuit breaker does.</summary>
public enum BreakerState
{
    /// <summary>Neither probes nor traffic can take the backend out (<c>Health:Passive:Enabled</c> is off, and there are no probes).</summary>
    Off,

    /// <summary>The backend is in use, as far as its health goes.</summary>
    Closed,

    /// <summary>Traffic took it out. The balancer tries to connect to it, or waits to let one request through.</summary>
    Open,

    /// <summary>Traffic took it out, and one request may try it, or does.</summary>
    HalfOpen,

    /// <summary>Probes took it out, and only they bring it back.</summary>
    Isolated,
}
