namespace StickyWs.Backends;

/// <summary>What the data path or a probe saw of a failing backend. It decides how much the failure says about the backend.</summary>
internal enum Evidence
{
    /// <summary>Nothing went wrong.</summary>
    None,

    /// <summary>Nothing listens at its address: its process is gone.</summary>
    Refused,

    /// <summary>It did not accept the connection in time.</summary>
    ConnectTimedOut,

    /// <summary>Its host or network cannot be reached, or the connection broke before anything was sent.</summary>
    Unreachable,

    /// <summary>Its name does not exist.</summary>
    NotResolved,

    /// <summary>The TLS handshake failed.</summary>
    TlsFailed,

    /// <summary>It closed the connection without a response.</summary>
    NoAnswer,

    /// <summary>Its response was not valid.</summary>
    BadAnswer,

    /// <summary>It was silent for too long.</summary>
    TimedOut,

    /// <summary>Its response was truncated.</summary>
    BrokenAnswer,

    /// <summary>Its tunnels end soon after they opened, by what it did, while those of its neighbours do not.</summary>
    DiesYoung,

    /// <summary>The balancer is out of descriptors or memory, or cannot read the pool's certificate file: no backend would fare better.</summary>
    OutOfResources,

    /// <summary>The balancer has no free port for this backend, or no name server answers; another backend may still be reachable.</summary>
    OutOfReach,
}
