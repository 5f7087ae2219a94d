using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

internal sealed partial class StickyForwarder
{
    [LoggerMessage(EventIds.HandshakeRefused, LogLevel.Debug, "Connection {ConnectionId}: handshake with {Pool}/{Backend} ended as {Outcome}", EventName = "HandshakeRefused")]
    private partial void LogRefused(string connectionId, string pool, string? backend, HandshakeOutcome outcome);

    [LoggerMessage(EventIds.TunnelOpened, LogLevel.Debug, "Connection {ConnectionId}: tunnel to {Pool}/{Backend} opened", EventName = "TunnelOpened")]
    private partial void LogOpened(string connectionId, string pool, string backend);

    [LoggerMessage(EventIds.TunnelEnded, LogLevel.Debug, "Connection {ConnectionId}: tunnel to {Pool}/{Backend} ended as {EndReason}; client->backend {BytesToBackend} B, backend->client {BytesToClient} B, {Seconds} s", EventName = "TunnelEnded")]
    private partial void LogEnded(string connectionId, string pool, string backend, EndReason endReason, long bytesToBackend, long bytesToClient, double seconds);
}
