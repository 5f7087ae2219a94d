using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Health;

internal sealed partial class HealthMonitor
{
    [LoggerMessage(EventIds.HealthFollowFailed, LogLevel.Error,
        "Probes and breakers could not follow the changed configuration; they go on as far as they got",
        EventName = "HealthFollowFailed")]
    private partial void LogFollowFailed(Exception exception);
}
