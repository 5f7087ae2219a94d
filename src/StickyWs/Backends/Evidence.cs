namespace StickyWs.Backends;

/// <summary>What the data path, or a probe, saw of a backend that did not do its part. It decides how much the failure says about the backend.</summary>
internal enum Evidence
{
    /// <summary>Nothing went wrong.</summary>
    None,

    /// <summary>Nobody listens at its address: its process is gone.</summary>
    Refused,

    /// <summary>It did not take the connection in time.</summary>
    ConnectTimedOut,

    /// <summary>Its host or network cannot be reached, or the connection broke before anything was sent.</summary>
    Unreachable,

    /// <summary>Its name does not exist.</summary>
    NotResolved,

    /// <summary>TLS could not be agreed on.</summary>
    TlsFailed,

    /// <summary>It closed the connection without an answer.</summary>
    NoAnswer,

    /// <summary>Its answer was not valid.</summary>
    BadAnswer,

    /// <summary>It was silent for too long.</summary>
    TimedOut,

    /// <summary>Its answer broke off.</summary>
    BrokenAnswer,

    /// <summary>The balancer itself lacks descriptors or memory, or cannot read the pool's certificate file: no backend would fare better.</summary>
    OutOfResources,

    /// <summary>The balancer has no free port towards this backend, or no name server answers; another backend may still be reached.</summary>
    OutOfReach,
}
