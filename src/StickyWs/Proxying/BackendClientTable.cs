using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>One client per pool, kept through every change of the configuration that does not concern it.</summary>
internal sealed class BackendClientTable : IDisposable
{
    private readonly ConcurrentDictionary<string, BackendClient> _clients = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _lock = new();
    private readonly BackendRegistry _registry;
    private readonly RawLane? _lane;
    private readonly TimeProvider _time;
    private readonly Func<HttpMessageHandler, BackendHandler> _wrap;

    public BackendClientTable(BackendRegistry registry, IOutcomeSink outcomes, PriorKnowledge priorKnowledge, StickyWsMetrics metrics, TimeProvider time, ILogger<BackendHandler> logger, RawLane? lane = null)
    {
        _registry = registry;
        _lane = lane;
        _time = time;
        _wrap = inner => new BackendHandler(inner, outcomes, priorKnowledge, metrics, logger);
        registry.Changed += DropStrangers;
    }

    /// <summary>The client of a pool, for one request; the caller releases it.</summary>
    public BackendClient Use(PoolSnapshot pool)
    {
        if (_clients.TryGetValue(pool.Name, out var client) && client.Fits(pool.Options) && client.TryUse()) return client;
        lock (_lock)
        {
            if (_clients.TryGetValue(pool.Name, out client))
            {
                if (client.Fits(pool.Options) && client.TryUse()) return client;
                client.Release();
            }

            client = _clients[pool.Name] = new BackendClient(pool.Options, _lane, _time, _wrap);
            client.TryUse();
            return client;
        }
    }

    public void Dispose()
    {
        _registry.Changed -= DropStrangers;
        foreach (var name in _clients.Keys) Drop(name);
    }

    // The client of a pool that changed is replaced by the next request; one of a pool that is gone has no next request.
    private void DropStrangers(RegistrySnapshot snapshot)
    {
        foreach (var name in _clients.Keys)
        {
            if (!snapshot.Pools.Any(pool => pool.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) Drop(name);
        }
    }

    private void Drop(string name)
    {
        lock (_lock)
        {
            if (_clients.TryRemove(name, out var client)) client.Release();
        }
    }
}
