using StickyWs.Backends;

namespace StickyWs.Dispatch;

/// <summary>The one place where a request becomes a decision, for both lanes and for plain HTTP alike. No I/O.</summary>
internal sealed class Dispatcher
{
    private readonly BackendRegistry _registry;
    private readonly PolicyTable _policies;
    private volatile PoolMatcher _matcher;

    public Dispatcher(BackendRegistry registry, PolicyTable policies)
    {
        _registry = registry;
        _policies = policies;
        _matcher = new PoolMatcher(registry.Current);
    }

    /// <summary>Finds the pool of a request and prepares its choice of backends.</summary>
    /// <param name="host">The host as the client wrote it, with or without a port.</param>
    /// <param name="path">The decoded path.</param>
    /// <param name="kind">What the backends are for.</param>
    /// <returns><see langword="null"/> when the request fits no pool and stays with the application.</returns>
    public Decision? Decide(ReadOnlySpan<char> host, ReadOnlySpan<char> path, LeaseKind kind)
    {
        var snapshot = _registry.Current;
        var matcher = _matcher;
        if (!matcher.IsFor(snapshot)) _matcher = matcher = matcher.Follow(snapshot);
        var pool = matcher.Match(host, path);
        return pool is null
            ? null
            : new Decision(pool, kind, _policies.Get(pool.Options.Policy), snapshot.Options.MaxTunnels ?? int.MaxValue);
    }
}
