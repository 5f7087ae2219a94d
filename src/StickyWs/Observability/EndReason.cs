namespace StickyWs.Observability;

/// <summary>Why a tunnel ended: the value of the log field and of the metric tag <c>stickyws.end_reason</c>.</summary>
public enum EndReason
{
    /// <summary>Still open.</summary>
    None,

    /// <summary>The client closed first, in order (FIN).</summary>
    ClientClosed,

    /// <summary>The backend closed first, in order (FIN).</summary>
    BackendClosed,

    /// <summary>The client's connection broke (RST, or a TLS or HTTP/2 error).</summary>
    ClientReset,

    /// <summary>The backend's connection broke.</summary>
    BackendReset,

    /// <summary>The host stopped: both sides were told (a Close frame), or its shutdown time was over.</summary>
    Shutdown,

    /// <summary>No byte moved for longer than the pool's idle time-out, or its half-closed time-out after one side had finished.</summary>
    IdleTimeout,

    /// <summary>The client no longer acknowledges anything, or its network is gone (<c>DeadPeerTimeout</c>).</summary>
    ClientLost,

    /// <summary>The same for the backend.</summary>
    BackendLost,

    /// <summary>A defect of the balancer; logged as an error.</summary>
    Failed,

    /// <summary>The client's connection ended (FIN) without the close_notify that ends TLS: a client that was cut off, or does not care.</summary>
    ClientTruncated,

    /// <summary>
    /// The client's bytes broke the rules of TLS, or were changed on the way; it got an alert. Or a record did not become whole within a minute.
    /// </summary>
    TlsFailed,

    /// <summary>The backend's connection ended (FIN) without the close_notify that ends TLS: a backend that was cut off, or does not care.</summary>
    BackendTruncated,

    /// <summary>
    /// The backend's bytes broke the rules of TLS, or were changed on the way; it got an alert. Or a record did not become whole within a minute.
    /// </summary>
    BackendTlsFailed,

    /// <summary>Its backend was drained, and its clients were handed off, or this tunnel alone: both sides were told (a Close frame).</summary>
    HandedOff,

    /// <summary>Its backend was drained, and the time for that was over.</summary>
    Cut,

    /// <summary>It was open for as long as its pool allows (<c>Tunnels:MaxAge</c>): both sides were told (a Close frame).</summary>
    MaxAge,

    /// <summary>Nothing came from the client for too long (<c>Tunnels:ClientIdleTimeout</c>): both sides were told (a Close frame).</summary>
    ClientIdleTimeout,

    /// <summary>The same of the backend (<c>Tunnels:BackendIdleTimeout</c>).</summary>
    BackendIdleTimeout,

    /// <summary>The client gave no sign of life after a ping of the balancer's (<c>Tunnels:Ping</c>): it was reset, and its backend told.</summary>
    ClientPingTimeout,

    /// <summary>The backend gave none: it was reset, and its client told.</summary>
    BackendPingTimeout,

    /// <summary>Its backend had more than its fair share of tunnels (<c>Rebalance</c>): both sides were told (a Close frame).</summary>
    Rebalanced,

    /// <summary>Its backend was found to be down (<c>OnDown</c>): both sides were told (a Close frame), or it was aborted.</summary>
    BackendDown,
}
