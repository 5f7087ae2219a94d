using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Connections;

internal sealed partial class SniffingMiddleware
{
    [LoggerMessage(EventIds.HeadTimedOut, LogLevel.Debug,
        "Connection {ConnectionId}: no request head within the deadline ({Outcome})",
        EventName = "HeadTimedOut")]
    private static partial void LogHeadTimedOut(ILogger logger, string connectionId, HeadOutcome outcome);

    [LoggerMessage(EventIds.ConnectionFailed, LogLevel.Debug,
        "Connection {ConnectionId}: ended before its tunnel was established: {Cause}",
        EventName = "ConnectionFailed")]
    private static partial void LogConnectionFailed(ILogger logger, string connectionId, string cause);
}
