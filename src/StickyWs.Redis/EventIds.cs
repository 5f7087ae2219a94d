namespace StickyWs.Redis;

/// <summary>Every log event's id: the block behind those of the balancer itself.</summary>
internal static class EventIds
{
    public const int RedisLost = 1000;
    public const int RedisRestored = 1001;
    public const int SavedHandlerFailed = 1002;
}
