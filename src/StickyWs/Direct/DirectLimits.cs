using Microsoft.AspNetCore.Server.Kestrel.Core;
using StickyWs.Http1;

namespace StickyWs.Direct;

/// <summary>The limits that hold for direct clients: Kestrel's, or the balancer's where they are lower. Times in milliseconds.</summary>
/// <param name="Head">The caps of a request head.</param>
/// <param name="HeadTime">The time from the first byte of a head to its last.</param>
/// <param name="KeepAlive">How long a client may be idle between two requests.</param>
/// <param name="Body">The most bytes of a request's body; <see langword="null"/> for no limit.</param>
/// <param name="BodyRate">The least bytes a second in which a body has to arrive.</param>
/// <param name="AnswerRate">The least bytes a second in which a client has to take its answers.</param>
internal sealed record DirectLimits(HeadLimits Head, long HeadTime, long KeepAlive, long? Body, MinDataRate? BodyRate, MinDataRate? AnswerRate)
{
    public static DirectLimits Of(KestrelServerLimits limits, int headBytes, TimeSpan headDeadline) => new(
        new HeadLimits(Math.Min(headBytes, limits.MaxRequestHeadersTotalSize), limits.MaxRequestLineSize, limits.MaxRequestHeaderCount),
        Math.Min(Milliseconds(headDeadline), Milliseconds(limits.RequestHeadersTimeout)), Milliseconds(limits.KeepAliveTimeout),
        limits.MaxRequestBodySize, limits.MinRequestBodyDataRate, limits.MinResponseDataRate);

    private static long Milliseconds(TimeSpan time) => time < TimeSpan.Zero ? long.MaxValue : (long)time.TotalMilliseconds;
}
