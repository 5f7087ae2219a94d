using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Forwarding;

/// <summary>Why an attempt to send a request to a backend failed, in the order in which the rules are tried.</summary>
internal enum AttemptFailure
{
    /// <summary>It did not fail.</summary>
    None,

    /// <summary>The client went away; not a failure of the backend.</summary>
    ClientGone,

    /// <summary>The client did not deliver the body it announced, or sent one that the server refuses.</summary>
    ClientBody,

    /// <summary>The client was silent in the middle of its body for longer than the activity time-out.</summary>
    ClientSilent,

    /// <summary>A kept connection turned out to be closed before anything was sent; not a failure of the backend.</summary>
    StaleConnection,

    /// <summary>The backend says that it did not process the request (RFC 9113 section 8.7); not a failure of the backend.</summary>
    NotProcessed,

    /// <summary>The balancer is out of descriptors or memory for another connection.</summary>
    OutOfResources,

    /// <summary>The balancer has no free port for this backend, or no name server that answers.</summary>
    OutOfReach,

    /// <summary>The time limit of the request, set by the pool or the application, has passed.</summary>
    OutOfTime,

    /// <summary>The backend was silent for longer than the activity time-out.</summary>
    BackendSilent,

    /// <summary>No connection in time.</summary>
    ConnectTimedOut,

    /// <summary>No connection: refused, not resolved, or no TLS.</summary>
    NotConnected,

    /// <summary>The backend closed or reset the connection before its response started.</summary>
    NoAnswer,

    /// <summary>What the backend sent is not a valid response to this request.</summary>
    BadAnswer,

    /// <summary>The response was truncated in its body.</summary>
    BrokenAnswer,
}

/// <summary>What follows from a failure: what is tried next, what the client is told, and whom it is counted against.</summary>
internal static class AttemptFailureExtensions
{
    /// <summary>Whether the connect failed, so that nothing was sent.</summary>
    public static bool IsConnects(this AttemptFailure failure)
        => failure is AttemptFailure.ConnectTimedOut or AttemptFailure.NotConnected || failure.IsOurs();

    /// <summary>Whether the balancer itself is short of something.</summary>
    public static bool IsOurs(this AttemptFailure failure) => failure is AttemptFailure.OutOfResources or AttemptFailure.OutOfReach;

    /// <summary>The local reply for a failure.</summary>
    /// <param name="failure">The failure.</param>
    /// <param name="suggested">The status that the server has already chosen for a client error, such as 413.</param>
    public static Refusal ToRefusal(this AttemptFailure failure, int suggested) => failure switch
    {
        AttemptFailure.ClientGone or AttemptFailure.ClientBody => new(suggested, "The request body could not be read."),
        AttemptFailure.ClientSilent => Refusal.BodyTimedOut,
        AttemptFailure.OutOfResources or AttemptFailure.OutOfReach => Refusal.NoRoom,
        AttemptFailure.OutOfTime => Refusal.OutOfTime,
        AttemptFailure.BackendSilent => Refusal.NotAnsweredInTime,
        AttemptFailure.ConnectTimedOut => Refusal.NotReachedInTime,
        AttemptFailure.NotConnected => Refusal.NotReached,
        AttemptFailure.NoAnswer => Refusal.NoAnswer,
        AttemptFailure.StaleConnection or AttemptFailure.NotProcessed => Refusal.NotTaken,
        AttemptFailure.BrokenAnswer => Refusal.BrokenAnswer,
        _ => Refusal.BadAnswer,
    };

    /// <summary>What the failure is evidence of against the backend.</summary>
    public static Evidence ToEvidence(this AttemptFailure failure, Exception? exception) => failure switch
    {
        AttemptFailure.OutOfResources => Evidence.OutOfResources,
        AttemptFailure.OutOfReach => Evidence.OutOfReach,
        AttemptFailure.BackendSilent or AttemptFailure.OutOfTime => Evidence.TimedOut,
        AttemptFailure.ConnectTimedOut => Evidence.ConnectTimedOut,
        // The protocol was the balancer's choice.
        AttemptFailure.NotConnected when exception is HttpRequestException { HttpRequestError: HttpRequestError.VersionNegotiationError } => Evidence.BadAnswer,
        AttemptFailure.NotConnected => exception is null ? Evidence.Unreachable : EvidenceExtensions.OfConnect(exception),
        AttemptFailure.NoAnswer => Evidence.NoAnswer,
        AttemptFailure.BadAnswer => Evidence.BadAnswer,
        AttemptFailure.BrokenAnswer => Evidence.BrokenAnswer,
        _ => Evidence.None,
    };

    /// <summary>How an attempt failed whose connect did.</summary>
    public static AttemptFailure OfConnect(Exception failure) => failure is OperationCanceledException
        ? AttemptFailure.ConnectTimedOut
        : EvidenceExtensions.OfConnect(failure) switch
        {
            Evidence.OutOfResources => AttemptFailure.OutOfResources,
            Evidence.OutOfReach => AttemptFailure.OutOfReach,
            _ => AttemptFailure.NotConnected,
        };
}
