using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Backends;

internal sealed partial class BackendRegistry
{
    [LoggerMessage(EventIds.BackendAdded, LogLevel.Information, "Backend {Pool}/{Backend} added at {Address}", EventName = "BackendAdded")]
    private partial void LogAdded(string pool, string backend, Uri address);

    [LoggerMessage(EventIds.BackendRemoved, LogLevel.Information,
        "Backend {Pool}/{Backend} removed; {Tunnels} tunnels and {Requests} requests stay open",
        EventName = "BackendRemoved")]
    private partial void LogRemoved(string pool, string backend, int tunnels, int requests);

    [LoggerMessage(EventId = EventIds.BackendStateChanged, EventName = "BackendStateChanged",
        Message = "Backend {Pool}/{Backend} was {Before} and is {After}: {Cause}")]
    private partial void LogStateChanged(LogLevel level, string pool, string backend, BackendState before, BackendState after, string cause);

    [LoggerMessage(EventIds.BackendWeightChanged, LogLevel.Information, "Backend {Pool}/{Backend} had the weight {Before} and has {After}: order",
        EventName = "BackendWeightChanged")]
    private partial void LogWeightChanged(string pool, string backend, int before, int after);

    [LoggerMessage(EventIds.BackendSpared, LogLevel.Warning,
        "Backend {Pool}/{Backend} stays in use, because half of its pool is out or it is the last: {Cause}. "
        + "Configure probes (Health) for certainty. This is logged at most once a minute", EventName = "BackendSpared")]
    private partial void LogSpared(string pool, string backend, string cause);

    [LoggerMessage(EventIds.BackendsAwaited, LogLevel.Information,
        "Pool {Pool} has new backends: until they have been probed, its previous backends serve its requests", EventName = "BackendsAwaited")]
    private partial void LogAwaited(string pool);

    [LoggerMessage(EventIds.BackendsKnown, LogLevel.Information, "The new backends of pool {Pool} are known and get its requests", EventName = "BackendsKnown")]
    private partial void LogKnown(string pool);

    [LoggerMessage(EventIds.NewBackendsUnhealthy, LogLevel.Warning,
        "No new backend of pool {Pool} is healthy; the changed configuration applies anyway, and its previous backends are released",
        EventName = "NewBackendsUnhealthy")]
    private partial void LogNoneHealthy(string pool);
}
