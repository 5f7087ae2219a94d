using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Pipeline;

namespace StickyWs.Proxying;

/// <summary>Reads from an exception who let a request down. That decides what is tried next, what the client is told, and whom it is counted against.</summary>
internal static class AttemptFailures
{
    public static AttemptFailure Of(Exception exception, ProxiedRequest request, CancellationToken activity)
    {
        if (request.IsOutOfTime) return AttemptFailure.OutOfTime;
        if (request.Context.RequestAborted.IsCancellationRequested) return AttemptFailure.ClientGone;
        if (request.Content is { ClientFailure: { } cause }) return Abandonment.IsLeaving(request.Context, cause) ? AttemptFailure.ClientGone : AttemptFailure.ClientBody;
        if (activity.IsCancellationRequested) return request.Content is { AwaitsClient: true } ? AttemptFailure.ClientSilent : AttemptFailure.BackendSilent;
        return exception switch
        {
            OperationCanceledException { InnerException: TimeoutException } => AttemptFailure.ConnectTimedOut,
            HttpRequestException { InnerException: UnsentException { IsReused: true } } => AttemptFailure.StaleConnection,
            HttpRequestException { InnerException: UnsentException } => AttemptFailure.NotConnected,
            HttpRequestException { InnerException: NotRepeatableException } => AttemptFailure.NotProcessed,
            HttpRequestException http when Unprocessed.IsSaidBy(http) || (Unprocessed.IsGoodbye(http) && request.Content is null or { IsWithBackend: false }) => AttemptFailure.NotProcessed,
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

    /// <summary>Whether it is for want of something of the balancer's own.</summary>
    public static bool IsOurs(this AttemptFailure failure) => failure is AttemptFailure.OutOfResources or AttemptFailure.OutOfReach;

    /// <summary>The answer to a failure.</summary>
    /// <param name="failure">What let the request down.</param>
    /// <param name="suggested">The status for a fault of the client that the server has already named, such as 413.</param>
    public static ErrorAnswer ToAnswer(this AttemptFailure failure, int suggested) => failure switch
    {
        AttemptFailure.ClientGone or AttemptFailure.ClientBody => new(suggested, "The request body could not be read."),
        AttemptFailure.ClientSilent => new(StatusCodes.Status408RequestTimeout, "The request body did not arrive in time."),
        AttemptFailure.OutOfResources or AttemptFailure.OutOfReach => ErrorAnswer.OutOfResources,
        AttemptFailure.OutOfTime => new(StatusCodes.Status504GatewayTimeout, "The request took longer than it may."),
        AttemptFailure.BackendSilent => new(StatusCodes.Status504GatewayTimeout, "The backend did not answer in time."),
        AttemptFailure.ConnectTimedOut => new(StatusCodes.Status504GatewayTimeout, "No backend could be reached in time."),
        AttemptFailure.NotConnected => new(StatusCodes.Status502BadGateway, "No backend could be reached."),
        AttemptFailure.NoAnswer => new(StatusCodes.Status502BadGateway, "The backend closed the connection without an answer."),
        AttemptFailure.StaleConnection or AttemptFailure.NotProcessed => new(StatusCodes.Status502BadGateway, "The backend did not take the request."),
        AttemptFailure.BrokenAnswer => new(StatusCodes.Status502BadGateway, "The backend's answer broke off."),
        _ => new(StatusCodes.Status502BadGateway, "The backend's answer was not valid."),
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

    /// <summary>The metric tag <c>error.type</c> of a failed connect.</summary>
    public static string ErrorType(Exception exception) => exception switch
    {
        OperationCanceledException => "timeout",
        { InnerException: SocketException socket } => socket.SocketErrorCode.ToString(),
        HttpRequestException http => http.HttpRequestError.ToString(),
        _ => exception.GetType().Name,
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
