using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

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

/// <summary>Derives the failure from an exception. It decides what is tried next, what the client is told, and whom it is counted against.</summary>
internal static class AttemptFailures
{
    public static AttemptFailure Of(Exception exception, ProxiedRequest request, CancellationToken activity)
    {
        if (request.IsOutOfTime) return AttemptFailure.OutOfTime;
        if (request.Context.RequestAborted.IsCancellationRequested) return AttemptFailure.ClientGone;
        if (request.Content is { ClientFailure: { } cause })
            return Abandonment.IsLeaving(request.Context, cause) ? AttemptFailure.ClientGone : AttemptFailure.ClientBody;
        if (activity.IsCancellationRequested) return request.Content is { AwaitsClient: true } ? AttemptFailure.ClientSilent : AttemptFailure.BackendSilent;
        return exception switch
        {
            OperationCanceledException { InnerException: TimeoutException } => AttemptFailure.ConnectTimedOut,
            HttpRequestException { InnerException: UnsentException { IsReused: true } } => AttemptFailure.StaleConnection,
            HttpRequestException { InnerException: UnsentException } => AttemptFailure.NotConnected,
            HttpRequestException { InnerException: NotRepeatableException } => AttemptFailure.NotProcessed,
            HttpRequestException http when Unprocessed.IsSaidBy(http) => AttemptFailure.NotProcessed,
            HttpRequestException http when Unprocessed.IsGoodbye(http) && request.Content is null or { IsWithBackend: false } => AttemptFailure.NotProcessed,
            HttpRequestException http => Of(http),
            _ => AttemptFailure.NoAnswer,
        };
    }

    /// <summary>
    /// Whether it counts against the backend. A backend without a response at the time limit of a request may hang, unless it is waiting for the
    /// client.
    /// </summary>
    public static bool IsBackends(this AttemptFailure failure, ProxiedRequest request)
        => failure >= AttemptFailure.BackendSilent || (failure == AttemptFailure.OutOfTime && request.Content is not { AwaitsClient: true });

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

    private static AttemptFailure Of(HttpRequestException exception)
    {
        var failure = Of(exception.HttpRequestError);
        return failure != AttemptFailure.NotConnected ? failure : EvidenceExtensions.OfConnect(exception) switch
        {
            Evidence.OutOfResources => AttemptFailure.OutOfResources,
            Evidence.OutOfReach => AttemptFailure.OutOfReach,
            _ => failure,
        };
    }

    private static AttemptFailure Of(HttpRequestError error) => error switch
    {
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError => AttemptFailure.NotConnected,
        HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError
            or HttpRequestError.ConfigurationLimitExceeded => AttemptFailure.BadAnswer,
        _ => AttemptFailure.NoAnswer,
    };
}
