using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using StickyWs.Http1;

namespace StickyWs.Pipeline;

/// <summary>How a <see cref="Refusal"/> goes through the pipeline of an application, which may have pages of its own for errors.</summary>
internal static class ErrorAnswer
{
    /// <summary>
    /// Whether the application is running the request again to render an error page (<c>UseStatusCodePagesWithReExecute</c>,
    /// <c>UseExceptionHandler</c>). If it has no such page, the original status must stay; a backend's response would replace it.
    /// </summary>
    public static bool IsPage(HttpContext context)
        => context.Response.StatusCode >= StatusCodes.Status400BadRequest
            && (context.Features.Get<IStatusCodeReExecuteFeature>() is not null || context.Features.Get<IExceptionHandlerFeature>() is not null);

    /// <summary>Writes it, unless another answer has begun.</summary>
    public static Task WriteAsync(HttpContext context, Refusal refusal, CancellationToken cancellationToken = default)
    {
        var response = context.Response;
        if (response.HasStarted) return Task.CompletedTask;
        response.StatusCode = refusal.Status;
        if (refusal.Header is { } header) response.Headers[header.Name] = header.Value;
        if (HasPageOf(context)) return Task.CompletedTask;
        var body = refusal.Body;
        response.ContentType = Refusal.ContentType;
        response.ContentLength = body.Length;
        return response.WriteAsync(body, cancellationToken);
    }

    // UseStatusCodePages writes where an answer has neither body nor type nor length.
    private static bool HasPageOf(HttpContext context) => context.Features.Get<IStatusCodePagesFeature>() is { Enabled: true };
}
