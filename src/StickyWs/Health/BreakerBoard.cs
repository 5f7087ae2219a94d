using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>The breakers of all backends that may get work. What concerns any other backend changes nothing.</summary>
internal sealed partial class BreakerBoard(BackendRegistry registry, TimeProvider time, ILogger<BreakerBoard> logger) : IOutcomeSink, IDisposable
{
    private readonly ConcurrentDictionary<Backend, BackendBreaker> _breakers = new();

    public void Succeeded(Backend backend)
    {
        if (backend.State != BackendState.Unhealthy) backend.NoteBack();
        Count(backend, null);
    }

    public void Failed(Backend backend, string cause)
    {
        backend.NoteAway(time.GetTimestamp());
        Count(backend, cause);
    }

    public Task IsolateAsync(Backend backend, string cause)
        => _breakers.TryGetValue(backend, out var breaker) ? breaker.IsolateAsync(cause) : Task.CompletedTask;

    public Task CloseAsync(Backend backend, string cause)
        => _breakers.TryGetValue(backend, out var breaker) ? breaker.CloseAsync(cause) : Task.CompletedTask;

    /// <summary>Follows the configuration. One caller at a time.</summary>
    public void Apply(RegistrySnapshot snapshot)
    {
        var gone = _breakers.Keys.ToHashSet();
        foreach (var pool in snapshot.Pools)
        {
            var rules = BreakerRules.Of(pool.Options.Health);
            foreach (var backend in pool.Backends.Where(backend => backend.State != BackendState.Draining))
            {
                gone.Remove(backend);
                Follow(backend, rules);
            }
        }

        foreach (var backend in gone)
        {
            if (_breakers.TryRemove(backend, out var breaker)) breaker.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var breaker in _breakers.Values) breaker.Dispose();
    }

    private void Follow(Backend backend, BreakerRules rules)
    {
        if (_breakers.TryGetValue(backend, out var old) && old.Rules == rules) return;
        _breakers[backend] = new BackendBreaker(backend, rules, registry, time);
        old?.Dispose();

        // Nothing that is left would ever bring it back: no probe, and no rest that ends.
        if (!rules.IsProbed && backend.State == BackendState.Unhealthy)
            registry.Report(backend, BackendState.Unknown, "configuration: the rules of its health changed, and it is tried again");
    }

    private void Count(Backend backend, string? failure)
    {
        if (!_breakers.TryGetValue(backend, out var breaker)) return;
        var counting = breaker.CountAsync(failure);
        if (counting.IsCompletedSuccessfully) counting.GetAwaiter().GetResult();
        else _ = WatchAsync(counting, backend);
    }

    // Nobody on the data path waits for a change of state; what goes wrong in one must not be lost.
    private async Task WatchAsync(ValueTask counting, Backend backend)
    {
        try
        {
            await counting;
        }
        catch (Exception e)
        {
            LogBreakerFailed(e, backend.Pool, backend.Name);
        }
    }
}
