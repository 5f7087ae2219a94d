using StickyWs.Backends;
using StickyWs.Forwarding;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

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
