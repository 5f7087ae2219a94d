using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>One Warning a minute for backends that could not be dialled for want of something of the balancer's own.</summary>
internal sealed partial class ShortageLog(TimeProvider time, ILogger<ShortageLog> logger)
{
    private readonly Pace _pace = Pace.OfWarnings(time);

    public void Note(Backend backend, Exception? failure)
    {
        var cause = failure?.GetBaseException();
        if (cause is not NoDescriptorException && _pace.TryPass()) LogOutOfResources(backend.Pool, backend.Name, cause?.Message);
    }

    [LoggerMessage(EventIds.OutOfResources, LogLevel.Warning,
        "Backend {Pool}/{Backend} could not be dialled: out of descriptors, ports or memory here, or no name server answers: {Cause}",
        EventName = "OutOfResources")]
    private partial void LogOutOfResources(string pool, string backend, string? cause);
}
