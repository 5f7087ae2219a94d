using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Pinning;

internal sealed partial class SharedPins
{
    [LoggerMessage(EventIds.PinStoreLost, LogLevel.Warning,
        "The shared pin store does not answer ({Cause}); traffic goes on with this process's own pins and by hashing",
        EventName = "PinStoreLost")]
    private partial void LogLost(string cause);

    [LoggerMessage(EventIds.PinStoreBack, LogLevel.Information, "The shared pin store answers again", EventName = "PinStoreBack")]
    private partial void LogBack();
}
