using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Pinning;

internal sealed partial class SharedPins
{
    [LoggerMessage(EventIds.PinStoreLost, LogLevel.Warning,
        "The shared store of pins does not answer ({Cause}); traffic goes on with the pins of this process and by hashing",
        EventName = "PinStoreLost")]
    private partial void LogLost(string cause);

    [LoggerMessage(EventIds.PinStoreBack, LogLevel.Information, "The shared store of pins answers again", EventName = "PinStoreBack")]
    private partial void LogBack();
}
