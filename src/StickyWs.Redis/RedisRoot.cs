namespace StickyWs.Redis;

/// <summary>The path of the configuration section, for messages that name keys.</summary>
internal sealed record RedisRoot(string Path);
