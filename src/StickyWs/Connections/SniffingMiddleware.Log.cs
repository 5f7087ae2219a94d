using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Connections;

internal sealed partial class SniffingMiddleware
{
    [LoggerMessage(EventIds.HeadTimedOut, LogLevel.Debug,
        "Connection {ConnectionId}: no request head within the deadline ({Outcome})",
        EventName = "HeadTimedOut")]
    private static partial void LogHeadTimedOut(ILogger logger, string connectionId, HeadOutcome outcome);

    [LoggerMessage(EventIds.TlsHandshakeFailed, LogLevel.Debug,
        "Connection {ConnectionId}: the TLS handshake failed: {Cause}",
        EventName = "TlsHandshakeFailed")]
    private static partial void LogTlsFailed(ILogger logger, string connectionId, string? cause);

    [LoggerMessage(EventIds.ClientHelloRefused, LogLevel.Debug,
        "Connection {ConnectionId}: the ClientHello was refused: {Cause}",
        EventName = "ClientHelloRefused")]
    private static partial void LogHelloRefused(ILogger logger, string connectionId, string cause);

    [LoggerMessage(EventIds.TlsPassedThrough, LogLevel.Debug,
        "Connection {ConnectionId}: TLS for {ServerName} ({Protocols}) is passed through to pool {Pool}",
        EventName = "TlsPassedThrough")]
    private static partial void LogPassedThrough(ILogger logger, string connectionId, string serverName, string? protocols, string pool);

    [LoggerMessage(EventIds.ConnectionFailed, LogLevel.Debug,
        "Connection {ConnectionId}: ended before its tunnel was established: {Cause}",
        EventName = "ConnectionFailed")]
    private static partial void LogConnectionFailed(ILogger logger, string connectionId, string cause);
}
