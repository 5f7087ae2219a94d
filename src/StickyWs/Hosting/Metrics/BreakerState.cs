namespace StickyWs.Hosting;

/// <summary>The state of a backend's circuit breaker: the value of the metric tag <c>stickyws.breaker.state</c>.</summary>
internal enum BreakerState
{
    /// <summary>The backend is not out.</summary>
    Closed,

    /// <summary>It is out by what traffic saw.</summary>
    Open,

    /// <summary>It is out, and one request may try it, or is on its way.</summary>
    HalfOpen,

    /// <summary>It is out by its probes, and only they bring it back.</summary>
    Isolated,
}
