using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyWs.Proxying;

/// <summary>
/// What a client is told when there is no answer to pass on: a status, and one line for people. It names no backend and no address.
/// </summary>
internal readonly record struct ErrorAnswer(int Status, string Cause)
{
    public static ErrorAnswer NoBackend { get; } = new(StatusCodes.Status503ServiceUnavailable, "No backend is available for this request.");

    public static ErrorAnswer Held { get; } = new(StatusCodes.Status503ServiceUnavailable, "The backend that holds this session is away; it is waited for.");

    public static ErrorAnswer OutOfResources { get; } = new(StatusCodes.Status503ServiceUnavailable, "The balancer has no room for one more connection.");

    public static ErrorAnswer NotProxied { get; } = new(StatusCodes.Status501NotImplemented, "This kind of request target is not proxied.");

    public static ErrorAnswer BadTarget { get; } = new(StatusCodes.Status400BadRequest, "The request target is not valid.");

    /// <summary>The answer to a failure.</summary>
    /// <param name="failure">What let the request down.</param>
    /// <param name="suggested">The status for a fault of the client that the server has already named, such as 413.</param>
    public static ErrorAnswer To(AttemptFailure failure, int suggested) => failure switch
    {
        AttemptFailure.ClientGone or AttemptFailure.ClientBody => new(suggested, "The request body could not be read."),
        AttemptFailure.ClientSilent => new(StatusCodes.Status408RequestTimeout, "The request body did not arrive in time."),
        AttemptFailure.OutOfResources or AttemptFailure.OutOfReach => OutOfResources,
        AttemptFailure.OutOfTime => new(StatusCodes.Status504GatewayTimeout, "The request took longer than it may."),
        AttemptFailure.BackendSilent => new(StatusCodes.Status504GatewayTimeout, "The backend did not answer in time."),
        AttemptFailure.ConnectTimedOut => new(StatusCodes.Status504GatewayTimeout, "No backend could be reached in time."),
        AttemptFailure.NotConnected => new(StatusCodes.Status502BadGateway, "No backend could be reached."),
        AttemptFailure.NoAnswer => new(StatusCodes.Status502BadGateway, "The backend closed the connection without an answer."),
        AttemptFailure.StaleConnection or AttemptFailure.NotProcessed => new(StatusCodes.Status502BadGateway, "The backend did not take the request."),
        AttemptFailure.BrokenAnswer => new(StatusCodes.Status502BadGateway, "The backend's answer broke off."),
        _ => new(StatusCodes.Status502BadGateway, "The backend's answer was not valid."),
    };

    /// <summary>Whether the application writes the pages for errors itself (<c>UseStatusCodePages</c>): it does so where an answer has neither body nor type nor length.</summary>
    public static bool HasPageOf(HttpContext context) => context.Features.Get<IStatusCodePagesFeature>() is { Enabled: true };

    /// <summary>Writes it, unless another answer has begun.</summary>
    public Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted) return Task.CompletedTask;
        response.StatusCode = Status;
        if (HasPageOf(context)) return Task.CompletedTask;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync($"{Status} {ReasonPhrases.GetReasonPhrase(Status)}: {Cause}\n", context.RequestAborted);
    }
}
