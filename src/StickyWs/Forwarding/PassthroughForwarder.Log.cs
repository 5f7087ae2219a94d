using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

internal sealed partial class PassthroughForwarder
{
    [LoggerMessage(EventIds.PassthroughRefused, LogLevel.Debug,
        "Connection {ConnectionId}: its TLS was not passed through to {Pool}/{Backend}: {Outcome}",
        EventName = "PassthroughRefused")]
    private partial void LogRefused(string connectionId, string pool, string? backend, HandshakeOutcome outcome);
}
