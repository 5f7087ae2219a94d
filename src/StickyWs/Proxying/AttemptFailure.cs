using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Pipeline;

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

/// <summary>Reads from an exception who let a request down. That decides what is tried next, what the client is told, and whom it is counted against.</summary>
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
    /// Whether it is counted against the backend. One that has not answered when the time of a request is over may hang, unless it is the client that
    /// it waits for.
    /// </summary>
    public static bool IsBackends(this AttemptFailure failure, ProxiedRequest request)
        => failure >= AttemptFailure.BackendSilent || (failure == AttemptFailure.OutOfTime && request.Content is not { AwaitsClient: true });

    /// <summary>Whether no connection came about, and so nothing was sent.</summary>
    public static bool IsConnects(this AttemptFailure failure)
        => failure is AttemptFailure.ConnectTimedOut or AttemptFailure.NotConnected || failure.IsOurs();

    /// <summary>Whether the balancer itself lacks something.</summary>
    public static bool IsOurs(this AttemptFailure failure) => failure is AttemptFailure.OutOfResources or AttemptFailure.OutOfReach;

    /// <summary>The answer to a failure.</summary>
    /// <param name="failure">What let the request down.</param>
    /// <param name="suggested">The status for a fault of the client that the server has already named, such as 413.</param>
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

    /// <summary>What it is evidence of against the backend.</summary>
    public static Evidence ToEvidence(this AttemptFailure failure, Exception? exception) => failure switch
    {
        AttemptFailure.OutOfResources => Evidence.OutOfResources,
        AttemptFailure.OutOfReach => Evidence.OutOfReach,
        AttemptFailure.BackendSilent or AttemptFailure.OutOfTime => Evidence.TimedOut,
        AttemptFailure.ConnectTimedOut => Evidence.ConnectTimedOut,
        // Our choice of protocol.
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
