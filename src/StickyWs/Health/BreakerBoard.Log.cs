using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Health;

internal sealed partial class BreakerBoard
{
    [LoggerMessage(EventIds.BreakerFailed, LogLevel.Error, "The breaker of {Pool}/{Backend} could not report its change", EventName = "BreakerFailed")]
    private partial void LogBreakerFailed(Exception exception, string pool, string backend);
}
