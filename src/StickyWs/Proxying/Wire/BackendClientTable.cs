using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Proxying;

/// <summary>One client per pool, kept across all configuration changes that do not affect it.</summary>
internal sealed class BackendClientTable : IDisposable
{
    private readonly ConcurrentDictionary<string, BackendClient> _clients = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _lock = new();
    private readonly BackendRegistry _registry;
    private readonly ClientSettings _settings;
    private readonly Func<HttpMessageHandler, BackendHandler> _wrap;

    public BackendClientTable(
        BackendRegistry registry,
        IOutcomeSink outcomes,
        PriorKnowledge priorKnowledge,
        StickyWsMetrics metrics,
        ClientSettings settings,
        ILogger<BackendHandler> logger)
    {
        _registry = registry;
        _settings = settings;
        _wrap = inner => new BackendHandler(inner, outcomes, priorKnowledge, metrics, logger);
        registry.Changed += DropStrangers;
    }

    /// <summary>The client of a pool, for one request; the caller releases it.</summary>
    public BackendClient Use(PoolSnapshot pool)
    {
        if (_clients.TryGetValue(pool.Name, out var client) && client.Fits(pool.Definition) && client.TryUse()) return client;
        lock (_lock)
        {
            if (_clients.TryGetValue(pool.Name, out client))
            {
                if (client.Fits(pool.Definition) && client.TryUse()) return client;
                client.Release();
            }

            client = _clients[pool.Name] = new BackendClient(pool.Definition, _settings, _wrap);
            client.TryUse();
            return client;
        }
    }

    /// <summary>A client bound to one connection of a client; the caller releases it.</summary>
    public BackendClient Create(PoolSnapshot pool) => new(pool.Definition, _settings, _wrap, isBound: true);

    public void Dispose()
    {
        _registry.Changed -= DropStrangers;
        foreach (var name in _clients.Keys) Drop(name);
    }

    // The client of a changed pool is replaced by the next request; a removed pool has no next request.
    private void DropStrangers(RegistrySnapshot snapshot)
    {
        foreach (var name in _clients.Keys)
        {
            if (!snapshot.PoolsInUse.Any(pool => pool.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) Drop(name);
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
