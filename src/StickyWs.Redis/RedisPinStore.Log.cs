using Microsoft.Extensions.Logging;

namespace StickyWs.Redis;

internal sealed partial class RedisPinStore
{
    [LoggerMessage(EventIds.SavedHandlerFailed, LogLevel.Error,
        "A pin that another instance announced could not be stored; it will be looked up when needed",
        EventName = "SavedHandlerFailed")]
    private partial void LogHandlerFailed(Exception exception);
}
