namespace StickyWs.Observability;

/// <summary>How a WebSocket handshake ended: the value of the metric tag <c>stickyws.handshake.outcome</c>.</summary>
public enum HandshakeOutcome
{
    /// <summary>A verified 101: the tunnel is open.</summary>
    Opened,

    /// <summary>The backend's response was not a 101; the client got that response.</summary>
    Declined,

    /// <summary>The backend's response was not HTTP, or a 101 that violates RFC 6455 section 4.2.2; the client got 502.</summary>
    BadAnswer,

    /// <summary>The backend closed before its response was complete; the client got 502.</summary>
    NoAnswer,

    /// <summary>The backend did not respond within the handshake time-out; the client got 504.</summary>
    TimedOut,

    /// <summary>No backend could be reached; the client got 502, or 504 if the last attempt timed out.</summary>
    Unreachable,

    /// <summary>The pool had no backend for new work; the client got 503.</summary>
    NoBackend,

    /// <summary>A limit was reached: on tunnels, Kestrel's on upgraded connections, or the system's on descriptors or ports. The client got
    /// 503.</summary>
    Full,

    /// <summary>The backend that holds the client's state is away, and the client has to wait for it (<c>Affinity:HoldFor</c>); it got 503.</summary>
    Held,

    /// <summary>The client left before the tunnel was open.</summary>
    ClientGone,

    /// <summary>The pool's backends take no more handshakes at a time, and as many wait already as may (<c>Queue:Length</c>); the client got
    /// 503.</summary>
    QueueFull,

    /// <summary>The handshake has waited for a place at a backend for as long as it may (<c>Queue:Timeout</c>); the client got 503.</summary>
    QueueTimedOut,

    /// <summary>The host stopped while the handshake waited for a place at a backend; the client got 503.</summary>
    QueueClosed,
}
