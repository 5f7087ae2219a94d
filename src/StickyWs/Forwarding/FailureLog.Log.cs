using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

internal sealed partial class FailureLog
{
    [LoggerMessage(EventIds.BackendFailedClient, LogLevel.Warning,
        "Backend {Pool}/{Backend}: a {What} got {Answer}: {Cause}{Detail}",
        EventName = "BackendFailedClient")]
    private partial void LogFailed(string pool, string backend, string what, string answer, string cause, string detail);

    [LoggerMessage(EventIds.BackendFailedClients, LogLevel.Warning,
        "Backend {Pool}/{Backend}: a {What} got {Answer}: {Cause}{Detail}; {LeftOut} more like it since the last such line",
        EventName = "BackendFailedClients")]
    private partial void LogFailedAgain(string pool, string backend, string what, string answer, string cause, string detail, long leftOut);
}
