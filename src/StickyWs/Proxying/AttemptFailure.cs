namespace StickyWs.Proxying;

/// <summary>Why sending a request to a backend gave no answer, in the order in which the rules are tried.</summary>
internal enum AttemptFailure
{
    /// <summary>It did not fail.</summary>
    None,

    /// <summary>The client went away; nobody's fault.</summary>
    ClientGone,

    /// <summary>The client did not deliver the body that it announced, or one that the server refuses.</summary>
    ClientBody,

    /// <summary>The client was silent in the middle of its body past the activity time-out.</summary>
    ClientSilent,

    /// <summary>A kept connection turned out closed before anything was sent; nobody's fault.</summary>
    StaleConnection,

    /// <summary>The backend says that it did not process the request (RFC 9113 section 8.7); nobody's fault.</summary>
    NotProcessed,

    /// <summary>The balancer itself lacks a descriptor or memory for one more connection.</summary>
    OutOfResources,

    /// <summary>The balancer has no free port towards this backend, or no name server that answers.</summary>
    OutOfReach,

    /// <summary>The whole time that the pool or the application gives a request is over.</summary>
    OutOfTime,

    /// <summary>The backend was silent past the activity time-out.</summary>
    BackendSilent,

    /// <summary>No connection in time.</summary>
    ConnectTimedOut,

    /// <summary>No connection: refused, not resolved, or no TLS.</summary>
    NotConnected,

    /// <summary>The backend ended or broke the connection before its answer began.</summary>
    NoAnswer,

    /// <summary>What the backend said is not an answer to this request.</summary>
    BadAnswer,

    /// <summary>The answer broke off in its body.</summary>
    BrokenAnswer,
}
