namespace StickyWs.Redis;

/// <summary>The ids of all log events: the block after those of the balancer itself.</summary>
internal static class EventIds
{
    public const int RedisLost = 1000;
    public const int RedisRestored = 1001;
    public const int SavedHandlerFailed = 1002;
}
