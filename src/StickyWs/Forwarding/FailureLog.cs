using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;

namespace StickyWs.Forwarding;

/// <summary>
/// Logs one Warning when a backend's failure reaches a client (502, 504, or a truncated response): which backend, and why. Limited to one line a
/// second for each backend, kind of work and cause; the line says how many similar ones were left out.
/// </summary>
internal sealed partial class FailureLog(TimeProvider time, ILogger<FailureLog> logger)
{
    /// <summary>The cause where the fault cannot be attributed: the backend may have been silent, or the client may have read nothing.</summary>
    public const string Standstill = "Nothing moved for the activity time-out.";

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly ConditionalWeakTable<Backend, ConcurrentDictionary<(string What, string Cause), Line>> _lines = [];

    /// <param name="backend">The backend that was tried last.</param>
    /// <param name="what">What failed: a request or a handshake.</param>
    /// <param name="status">The status sent to the client; <see langword="null"/> if its response had started and was aborted.</param>
    /// <param name="cause">Why, as one of a few fixed texts.</param>
    /// <param name="exception">The caught exception, if any.</param>
    public void Note(Backend backend, string what, int? status, string cause, Exception? exception = null)
        => NoteAnswer(backend, what, status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "an answer broken off", cause, exception);

    /// <summary>The same for a client that got something else than a status.</summary>
    public void NoteAnswer(Backend backend, string what, string answer, string cause, Exception? exception = null)
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
