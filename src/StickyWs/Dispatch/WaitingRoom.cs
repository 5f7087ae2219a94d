using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Dispatch;

/// <summary>
/// Has work wait for a place in its pool's line, and says how that ended: to the metrics, and to the log if it got none. The log gets one line a second
/// for each pool, kind of work and reason; the line says how many similar ones were left out.
/// </summary>
internal sealed partial class WaitingRoom(TimeProvider time, ILogger<WaitingRoom> logger, StickyWsMetrics? metrics = null)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string Pool, LeaseKind Kind, WaitEnd End), Line> _lines = new();

    /// <summary>Without metrics and log, on the system's clock.</summary>
    public static WaitingRoom Plain { get; } = new(TimeProvider.System, NullLogger<WaitingRoom>.Instance);

    /// <returns>How the wait ended, and how long it was.</returns>
    public async ValueTask<(WaitEnd End, TimeSpan Time)> WaitAsync(
        PoolSnapshot pool, LeaseKind kind, Waiter waiter, TimeSpan longest, CancellationToken left)
    {
        var startedAt = time.GetTimestamp();
        var end = await pool.Lines.Of(kind).WaitAsync(waiter, pool.Options.Queue.Length, longest, left).ConfigureAwait(false);
        var waited = time.GetElapsedTime(startedAt);
        metrics?.Waited(pool.Name, WordOf(kind), ErrorTypeOf(end), waited);
        if (end is WaitEnd.Full or WaitEnd.FullForBackend or WaitEnd.TimedOut) NoteRefused(pool, kind, end);
        return (end, waited);
    }

    /// <summary>The tag <c>stickyws.work</c>.</summary>
    public static string WordOf(LeaseKind kind) => kind == LeaseKind.Request ? StickyWsMetrics.RequestWork : StickyWsMetrics.HandshakeWork;

    private static string? ErrorTypeOf(WaitEnd end) => end switch
    {
        WaitEnd.Granted => null,
        WaitEnd.Full or WaitEnd.FullForBackend => nameof(NoBackendReason.QueueFull),
        WaitEnd.TimedOut => nameof(NoBackendReason.QueueTimedOut),
        WaitEnd.Closed => nameof(NoBackendReason.QueueClosed),
        WaitEnd.NoTunnel or WaitEnd.BackendFull => nameof(NoBackendReason.Full),
        WaitEnd.Stranded => "BackendsGone",
        _ => "ClientGone",
    };

    private void NoteRefused(PoolSnapshot pool, LeaseKind kind, WaitEnd end)
    {
        if (!logger.IsEnabled(LogLevel.Warning)) return;
        var line = _lines.GetOrAdd((pool.Name, kind, end), static _ => new Line());
        long leftOut;
        lock (line)
        {
            if (line.WrittenAt is { } at && time.GetElapsedTime(at) < Quiet)
            {
                line.LeftOut++;
                return;
            }

            (line.WrittenAt, leftOut, line.LeftOut) = (time.GetTimestamp(), line.LeftOut, 0);
        }

        var cause = end switch
        {
            WaitEnd.Full => $"{pool.Options.Queue.Length} wait already",
            WaitEnd.FullForBackend => "those who wait for its backend are half of the queue already",
            _ => $"it waited for {pool.Options.Queue.Timeout}",
        };
        LogRefused(pool.Name, WordOf(kind), cause, leftOut);
    }

    [LoggerMessage(EventIds.QueueRefused, LogLevel.Warning,
        "Pool {Pool}: a {Work} got 503, because its backends take no more at a time and {Cause}; {LeftOut} more like it since the last such line",
        EventName = "QueueRefused")]
    private partial void LogRefused(string pool, string work, string cause, long leftOut);

    private sealed class Line
    {
        public long? WrittenAt { get; set; }

        public long LeftOut { get; set; }
    }
}
