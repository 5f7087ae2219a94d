using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Health;

internal sealed partial class HealthMonitor
{
    [LoggerMessage(EventIds.HealthFollowFailed, LogLevel.Error,
        "Applying the changed configuration to probes and breakers failed; it may be partly applied",
        EventName = "HealthFollowFailed")]
    private partial void LogFollowFailed(Exception exception);
}
