using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace StickyWs.Dashboard.Answers;

/// <summary>Writes answers. None is for a cache, for a guess at its type, or for a page of another site.</summary>
internal static class ResponseExtensions
{
    public static void Protect(this HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.XFrameOptions = "DENY";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    public static Task WriteAnswerAsync<T>(this HttpContext context, T answer, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
        => WriteAsync(context, answer, type, status, "application/json");

    public static Task WriteProblemAsync(this HttpContext context, Problem problem)
    {
        if (problem.Status == StatusCodes.Status405MethodNotAllowed) context.Response.Headers.Allow = string.Join(", ", problem.Known ?? []);
        if (problem.Status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "5";
        return WriteAsync(context, problem, AnswerContext.Default.Problem, problem.Status, "application/problem+json");
    }

    private static async Task WriteAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> type, int status, string contentType)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(answer, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
