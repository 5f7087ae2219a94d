using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;

namespace StickyWs.Pipeline;

/// <summary>
/// What becomes of a request whose <c>RequestAborted</c> fires before its answer is whole: the client left, or the application gave it no more time
/// (<c>UseRequestTimeouts</c>).
/// </summary>
internal static class Abandonment
{
    // Of FileBufferingReadStream (EnableBuffering), which has no exception of its own for it.
    private const string BufferLimit = "Buffer limit exceeded.";

    /// <summary>Whether the application's time-out is over.</summary>
    public static bool IsTimedOut(HttpContext context)
        => context.Features.Get<IHttpRequestTimeoutFeature>() is { RequestTimeoutToken.IsCancellationRequested: true };

    /// <summary>
    /// Whether a failure to read the client's body means that the client has gone. <c>RequestAborted</c> may fire a moment later. A body that the
    /// server refuses is one of its own kind; only one that ended too early looks like that too.
    /// </summary>
    public static bool IsLeaving(HttpContext context, Exception failure)
        => Refusal(failure) is not { } refusal
            ? !IsBadContent(failure)
            : (refusal.StatusCode == StatusCodes.Status400BadRequest && (context.Request.ContentLength is not null || refusal.Message.StartsWith("Unexpected end of request content", StringComparison.Ordinal)));

    /// <summary>
    /// Ends such a request. The time-out's own middleware makes the answer of the exception; a client that left gets none, and logs have its status.
    /// </summary>
    /// <exception cref="OperationCanceledException">The application's time-out is over, and no answer has begun.</exception>
    public static void End(HttpContext context)
    {
        ThrowIfTimedOut(context);
        if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        else if (IsTimedOut(context)) context.Abort(); // A part of an answer must not look whole.
    }

    public static void ThrowIfTimedOut(HttpContext context)
    {
        if (IsTimedOut(context) && !context.Response.HasStarted) context.RequestAborted.ThrowIfCancellationRequested();
    }

    // What a middleware that decodes or keeps the body says of it.
    private static bool IsBadContent(Exception failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is InvalidDataException or InvalidOperationException || (cause.GetType() == typeof(IOException) && cause.Message == BufferLimit)) return true;
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
