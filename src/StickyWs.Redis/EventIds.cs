namespace StickyWs.Redis;

/// <summary>Every log event's id: the block behind those of the balancer itself.</summary>
internal static class EventIds
{
    public const int RedisLost = 900;
    public const int RedisRestored = 901;
    public const int SavedHandlerFailed = 902;
}
