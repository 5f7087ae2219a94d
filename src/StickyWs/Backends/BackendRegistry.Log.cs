using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Backends;

internal sealed partial class BackendRegistry
{
    [LoggerMessage(EventIds.BackendAdded, LogLevel.Information, "Backend {Pool}/{Backend} added at {Address}", EventName = "BackendAdded")]
    private partial void LogAdded(string pool, string backend, Uri address);

    [LoggerMessage(EventIds.BackendRemoved, LogLevel.Information, "Backend {Pool}/{Backend} removed; {Tunnels} tunnels and {Requests} requests live on", EventName = "BackendRemoved")]
    private partial void LogRemoved(string pool, string backend, int tunnels, int requests);

    [LoggerMessage(EventId = EventIds.BackendStateChanged, EventName = "BackendStateChanged", Message = "Backend {Pool}/{Backend} was {Before} and is {After}: {Cause}")]
    private partial void LogStateChanged(LogLevel level, string pool, string backend, BackendState before, BackendState after, string cause);

    [LoggerMessage(EventIds.BackendSpared, LogLevel.Warning,
        "Backend {Pool}/{Backend} stays in use, because half of its pool is out or it is the last: {Cause}. Probes (Health) would tell. This is logged at most once a minute", EventName = "BackendSpared")]
    private partial void LogSpared(string pool, string backend, string cause);
}
