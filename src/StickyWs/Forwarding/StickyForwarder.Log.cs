using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

internal sealed partial class StickyForwarder
{
    [LoggerMessage(EventIds.HandshakeRefused, LogLevel.Debug,
        "Connection {ConnectionId}: handshake with {Pool}/{Backend} ended as {Outcome}",
        EventName = "HandshakeRefused")]
    private partial void LogRefused(string connectionId, string pool, string? backend, HandshakeOutcome outcome);
}
