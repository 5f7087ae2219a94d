using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Health;

internal sealed partial class BreakerBoard
{
    [LoggerMessage(EventIds.BreakerFailed, LogLevel.Error, "The breaker of {Pool}/{Backend} could not report its change", EventName = "BreakerFailed")]
    private partial void LogBreakerFailed(Exception exception, string pool, string backend);

    [LoggerMessage(EventIds.BackendUnreachable, LogLevel.Warning,
        "Backend {Pool}/{Backend} at {Address} could not be reached: {Cause}. Further failures are logged at Debug until it answers",
        EventName = "BackendUnreachable")]
    private partial void LogUnreachable(string pool, string backend, Uri address, string cause);
}
