using StickyWs.Backends;

namespace StickyWs.Dialing;

/// <summary>The result of dialling.</summary>
internal enum DialResult
{
    /// <summary>Connected. The caller owns the connection and the lease.</summary>
    Connected,

    /// <summary>The backend could not be reached. Its lease was returned.</summary>
    Unreachable,

    /// <summary>The backend did not accept the connection within the time-out. Its lease was returned.</summary>
    TimedOut,

    /// <summary>The balancer has no descriptor or memory for another connection. No backend is at fault, and another would fare no better.</summary>
    OutOfResources,

    /// <summary>
    /// The balancer has no free port towards this backend, or no name server answers. The backend is not at fault, and another may be reachable. Its
    /// lease was returned.
    /// </summary>
    OutOfReach,

    /// <summary>The caller gave up. Nothing has to be cleaned up.</summary>
    Abandoned,

    /// <summary>There was no (further) backend to try; see <see cref="BackendChoice.Why"/>.</summary>
    NoBackend,
}

/// <summary>The outcome of one attempt to reach a backend.</summary>
/// <typeparam name="TConnection">The lane's kind of connection.</typeparam>
internal readonly record struct DialOutcome<TConnection>(DialResult Result, TConnection? Connection = null, Lease Lease = default)
    where TConnection : BackendConnection
{
    /// <summary>The backend that could not be reached.</summary>
    public Backend? Tried { get; init; }

    /// <summary>The failure.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Whether it failed, and the next backend may be tried.</summary>
    public bool IsRetryable
        => Result is not (DialResult.Connected or DialResult.Abandoned or DialResult.NoBackend)
            && Retries.AfterConnect(isOutOfResources: Result == DialResult.OutOfResources, canUseKept: false);
}
