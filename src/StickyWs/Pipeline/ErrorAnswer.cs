using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyWs.Pipeline;

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

    /// <summary>
    /// Whether the application writes the pages for errors itself (<c>UseStatusCodePages</c>): it does so where an answer has neither body nor type
    /// nor length.
    /// </summary>
    public static bool HasPageOf(HttpContext context) => context.Features.Get<IStatusCodePagesFeature>() is { Enabled: true };

    /// <summary>
    /// Whether the application runs the request again for the page of an error that it has had (<c>UseStatusCodePagesWithReExecute</c>,
    /// <c>UseExceptionHandler</c>). Without a page of its own the status stands: a backend's answer would replace it.
    /// </summary>
    public static bool IsPage(HttpContext context)
        => context.Response.StatusCode >= StatusCodes.Status400BadRequest
            && (context.Features.Get<IStatusCodeReExecuteFeature>() is not null || context.Features.Get<IExceptionHandlerFeature>() is not null);

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
