using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Health;

internal sealed partial class ProbeLoop
{
    [LoggerMessage(EventIds.ProbeFailed, LogLevel.Debug, "Probe of {Pool}/{Backend} failed: {Cause}", EventName = "ProbeFailed")]
    private partial void LogProbeFailed(string pool, string backend, string cause);

    [LoggerMessage(EventIds.FirstProbeFailed, LogLevel.Warning,
        "Probe of {Pool}/{Backend} at {Address} failed: {Cause}. Further failures are logged at Debug until it recovers", EventName = "FirstProbeFailed")]
    private partial void LogFirstProbeFailed(string pool, string backend, Uri address, string cause);

    [LoggerMessage(EventIds.ProbeLoopFailed, LogLevel.Error,
        "The result of a probe of {Pool}/{Backend} could not be reported; probing continues",
        EventName = "ProbeLoopFailed")]
    private partial void LogLoopFailed(Exception exception, string pool, string backend);
}
