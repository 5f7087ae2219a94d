using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;

namespace StickyWs.Forwarding;

/// <summary>
/// One Warning for what clients are told when a backend fails them (502, 504) or leaves them with a part of an answer: which backend, and why. Of
/// each backend, what failed and its cause one line in a second, which says how many like it were left out.
/// </summary>
internal sealed partial class FailureLog(TimeProvider time, ILogger<FailureLog> logger)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly ConditionalWeakTable<Backend, ConcurrentDictionary<(string What, string Cause), Line>> _lines = [];

    /// <param name="backend">The backend that was tried last.</param>
    /// <param name="what">What failed: a request or a handshake.</param>
    /// <param name="status">What the client was told; <see langword="null"/> when its answer had begun and was broken off.</param>
    /// <param name="cause">Why, in words of our own, of which there are few.</param>
    /// <param name="exception">What was caught, if anything.</param>
    public void Note(Backend backend, string what, int? status, string cause, Exception? exception = null)
    {
        if (!logger.IsEnabled(LogLevel.Warning)) return;
        var line = _lines.GetOrCreateValue(backend).GetOrAdd((what, cause), static _ => new Line());
        long leftOut;
        lock (line)
        {
            if (line.WrittenAt is { } at && time.GetElapsedTime(at) < Quiet)
            {
                line.LeftOut++;
                return;
            }

            line.WrittenAt = time.GetTimestamp();
            leftOut = line.LeftOut;
            line.LeftOut = 0;
        }

        var answer = status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "an answer broken off";
        var detail = exception is null ? "" : $" ({exception.GetBaseException().Message})";
        if (leftOut == 0) LogFailed(backend.Pool, backend.Name, what, answer, cause, detail);
        else LogFailedAgain(backend.Pool, backend.Name, what, answer, cause, detail, leftOut);
    }

    private sealed class Line
    {
        public long? WrittenAt { get; set; }

        public long LeftOut { get; set; }
    }
}
