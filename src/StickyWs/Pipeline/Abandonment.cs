using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;

namespace StickyWs.Pipeline;

/// <summary>
/// Handles requests whose <c>RequestAborted</c> fires before their response is complete: the client left, or the application's time-out
/// (<c>UseRequestTimeouts</c>) has passed.
/// </summary>
internal static class Abandonment
{
    // The message of FileBufferingReadStream (EnableBuffering), which has no exception type of its own for this.
    private const string BufferLimit = "Buffer limit exceeded.";

    /// <summary>Whether the application's time-out has passed.</summary>
    public static bool IsTimedOut(HttpContext context)
        => context.Features.Get<IHttpRequestTimeoutFeature>() is { RequestTimeoutToken.IsCancellationRequested: true };

    /// <summary>
    /// Whether a failure to read the client's body means that the client has left; <c>RequestAborted</c> may fire only a moment later. A body that
    /// the server rejects fails with an exception of its own type. So does one that ended early, which does mean that the client left.
    /// </summary>
    public static bool IsLeaving(HttpContext context, Exception failure)
        => Refusal(failure) is not { } refusal
            ? !IsBadContent(failure)
            : refusal.StatusCode == StatusCodes.Status400BadRequest
                && (context.Request.ContentLength is not null
                    || refusal.Message.StartsWith("Unexpected end of request content", StringComparison.Ordinal));

    /// <summary>
    /// Ends such a request. After a time-out, the time-out middleware turns the exception into a response. A client that left gets none; logs get its
    /// status.
    /// </summary>
    /// <exception cref="OperationCanceledException">The application's time-out has passed, and no response has started.</exception>
    public static void End(HttpContext context)
    {
        ThrowIfTimedOut(context);
        if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        else if (IsTimedOut(context)) context.Abort(); // A partial response must not look complete.
    }

    public static void ThrowIfTimedOut(HttpContext context)
    {
        if (IsTimedOut(context) && !context.Response.HasStarted) context.RequestAborted.ThrowIfCancellationRequested();
    }

    // Exceptions of middleware that decodes or buffers the body.
    private static bool IsBadContent(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            var isBufferLimit = cause.GetType() == typeof(IOException) && cause.Message == BufferLimit;
            if (isBufferLimit || cause is InvalidDataException or InvalidOperationException) return true;
        }

        return false;
    }

    private static BadHttpRequestException? Refusal(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is BadHttpRequestException refusal) return refusal;
        }

        return null;
    }
}
