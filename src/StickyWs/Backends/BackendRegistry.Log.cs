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
}
