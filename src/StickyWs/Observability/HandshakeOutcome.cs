namespace StickyWs.Observability;

/// <summary>How a WebSocket handshake ended: the value of the metric tag <c>stickyws.handshake.outcome</c>.</summary>
public enum HandshakeOutcome
{
    /// <summary>A verified 101: a tunnel.</summary>
    Opened,

    /// <summary>The backend answered something else than 101, and the client got that answer.</summary>
    Declined,

    /// <summary>The backend's answer was not HTTP, or a 101 that breaks RFC 6455 section 4.2.2; the client got 502.</summary>
    BadAnswer,

    /// <summary>The backend closed before a whole answer came; the client got 502.</summary>
    NoAnswer,

    /// <summary>The backend was silent past the handshake time-out; the client got 504.</summary>
    TimedOut,

    /// <summary>No backend could be reached; the client got 502, or 504 when the last attempt timed out.</summary>
    Unreachable,

    /// <summary>The pool had no backend for new work; the client got 503.</summary>
    NoBackend,

    /// <summary>A limit of tunnels, Kestrel's of upgraded connections, or the system's of descriptors or ports was reached; the client got 503.</summary>
    Full,

    /// <summary>The backend that holds the client's state is away and the client waits for it (<c>Affinity:HoldFor</c>); it got 503.</summary>
    Held,

    /// <summary>The client was gone before the tunnel stood.</summary>
    ClientGone,
}
