using Microsoft.Extensions.Logging;

namespace StickyWs.Redis;

internal sealed partial class ServerWatch
{
    [LoggerMessage(EventIds.RedisLost, LogLevel.Warning,
        "Redis at {Server} cannot be reached ({Reason}); until it can, this instance relies on the pins that it knows itself",
        EventName = "RedisLost")]
    private partial void LogLost(string server, string reason);

    [LoggerMessage(EventIds.RedisRestored, LogLevel.Information, "Redis at {Server} is reached again", EventName = "RedisRestored")]
    private partial void LogRestored(string server);
}
