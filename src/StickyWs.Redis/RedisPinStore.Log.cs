using Microsoft.Extensions.Logging;

namespace StickyWs.Redis;

internal sealed partial class RedisPinStore
{
    [LoggerMessage(EventIds.SavedHandlerFailed, LogLevel.Error,
        "A pin of another instance could not be taken over; it is looked up when it is needed",
        EventName = "SavedHandlerFailed")]
    private partial void LogHandlerFailed(Exception exception);
}
