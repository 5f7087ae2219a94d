using StickyWs.Backends;

namespace StickyWs.Dialing;

/// <summary>What came of dialling.</summary>
internal enum DialResult
{
    /// <summary>Connected; connection and lease are the caller's.</summary>
    Connected,

    /// <summary>The backend could not be reached; its lease is already back.</summary>
    Unreachable,

    /// <summary>The backend did not take the connection within the time-out; its lease is already back.</summary>
    TimedOut,

    /// <summary>The balancer itself has no descriptor or memory left for one more connection: no backend's fault, and none would fare better.</summary>
    OutOfResources,

    /// <summary>
    /// The balancer has no free port towards this backend, or no name server answers: not its fault, and another may still be reached; its lease is
    /// already back.
    /// </summary>
    OutOfReach,

    /// <summary>The caller gave up; nothing is left behind.</summary>
    Abandoned,

    /// <summary>There was no (further) backend to try; <see cref="BackendChoice.Why"/> says why.</summary>
    NoBackend,
}

/// <summary>One attempt to reach a backend.</summary>
/// <typeparam name="TConnection">The lane's kind of connection.</typeparam>
internal readonly record struct DialOutcome<TConnection>(DialResult Result, TConnection? Connection = null, Lease Lease = default)
    where TConnection : BackendConnection
{
    /// <summary>The backend that could not be reached.</summary>
    public Backend? Tried { get; init; }

    /// <summary>Why it could not.</summary>
    public Exception? Failure { get; init; }

    /// <summary>Whether it failed, and the next backend may be tried.</summary>
    public bool IsRetryable
        => Result is not (DialResult.Connected or DialResult.Abandoned or DialResult.NoBackend)
            && Retries.AfterConnect(isOutOfResources: Result == DialResult.OutOfResources, canUseKept: false);
}
