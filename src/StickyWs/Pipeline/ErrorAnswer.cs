using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace StickyWs.Pipeline;

/// <summary>
/// A local reply: what a client gets if no backend's response can be passed on. A status, and one line for people; it names no backend and no
/// address.
/// </summary>
internal readonly record struct ErrorAnswer(int Status, string Cause)
{
    public static ErrorAnswer NoBackend { get; } = new(StatusCodes.Status503ServiceUnavailable, "No backend is available for this request.");

    public static ErrorAnswer Held { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "The backend that holds this session is unavailable for now; try again shortly.");

    public static ErrorAnswer OutOfResources { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "The balancer has no resources left for another connection.");

    public static ErrorAnswer NotProxied { get; } = new(StatusCodes.Status501NotImplemented, "This form of request target is not proxied.");

    public static ErrorAnswer BadTarget { get; } = new(StatusCodes.Status400BadRequest, "The request target is not valid.");

    /// <summary>
    /// Whether the application writes the error pages itself (<c>UseStatusCodePages</c>), which it does for responses without a body, type and
    /// length.
    /// </summary>
    public static bool HasPageOf(HttpContext context) => context.Features.Get<IStatusCodePagesFeature>() is { Enabled: true };

    /// <summary>
    /// Whether the application is running the request again to render an error page (<c>UseStatusCodePagesWithReExecute</c>,
    /// <c>UseExceptionHandler</c>). If it has no such page, the original status must stay; a backend's response would replace it.
    /// </summary>
    public static bool IsPage(HttpContext context)
        => context.Response.StatusCode >= StatusCodes.Status400BadRequest
            && (context.Features.Get<IStatusCodeReExecuteFeature>() is not null || context.Features.Get<IExceptionHandlerFeature>() is not null);

    /// <summary>Writes the reply, unless another response has started.</summary>
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
