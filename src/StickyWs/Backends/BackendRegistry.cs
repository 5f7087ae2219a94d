using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using StickyWs.Names;

namespace StickyWs.Backends;

/// <summary>
/// The registry: the only shared mutable state. Configuration and health write it under one lock; everybody else reads
/// <see cref="Current"/>, an immutable snapshot, without any.
/// </summary>
internal sealed partial class BackendRegistry(ILogger<BackendRegistry> logger, TimeProvider time, AddressBook? names = null)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TurnCounter> _turns = new(StringComparer.OrdinalIgnoreCase);
    private volatile RegistrySnapshot _current = RegistrySnapshot.Empty;

    /// <summary>Raised under the writer's lock after every change of <see cref="Current"/>; handlers must be quick and must not call back.</summary>
    public event Action<RegistrySnapshot>? Changed;

    public RegistrySnapshot Current => _current;

    public TunnelTotal Tunnels { get; } = new();

    /// <summary>Takes over valid options. A backend that keeps its pool, name and address keeps its state, counts and tunnels.</summary>
    public void Apply(StickyWsOptions options)
    {
        lock (_lock)
        {
            var before = _current;
            var pools = options.Pools
                .OrderBy(pool => pool.Key, StringComparer.OrdinalIgnoreCase)
                .Select(pool => Build(pool.Key, pool.Value, before))
                .ToImmutableArray();
            Publish(new RegistrySnapshot(options, pools));
            Retire(before, pools);
        }
    }

    /// <summary>Takes over a verdict on a backend's health. One on a draining or removed backend changes nothing.</summary>
    public void Report(Backend backend, BackendState state, string cause) => TryReport(backend, state, cause, static (_, _) => true);

    /// <summary>Takes a backend out on evidence that its clients may have made themselves: never more than half of a pool, and never the last that serves.</summary>
    /// <returns><see langword="false"/> when it has to stay.</returns>
    public bool TrySuspend(Backend backend, string cause)
    {
        if (TryReport(backend, BackendState.Unhealthy, cause, IsDispensable)) return true;
        if (backend.MaySaySpared(time)) LogSpared(backend.Pool, backend.Name, cause);
        return false;
    }

    private bool TryReport(Backend backend, BackendState state, string cause, Func<PoolSnapshot, Backend, bool> may)
    {
        lock (_lock)
        {
            var current = _current;
            var index = IndexOf(current.Pools, backend);
            if (index < 0 || backend.State == BackendState.Draining || backend.State == state) return true;
            var pool = current.Pools[index];
            if (!may(pool, backend)) return false;
            SetState(backend, state, cause);
            Publish(current with { Pools = current.Pools.SetItem(index, Freeze(pool.Name, pool.Options, pool.Backends)) });
            return true;
        }
    }

    private static bool IsDispensable(PoolSnapshot pool, Backend backend)
    {
        var (enabled, others) = (0, 0);
        foreach (var one in pool.Backends)
        {
            if (one.State == BackendState.Draining) continue;
            enabled++;
            if (one != backend && one.State != BackendState.Unhealthy) others++;
        }

        return others > 0 && others * 2 >= enabled;
    }

    private static int IndexOf(ImmutableArray<PoolSnapshot> pools, Backend backend)
    {
        for (var i = 0; i < pools.Length; i++)
        {
            if (pools[i].Backends.Contains(backend)) return i;
        }

        return -1;
    }

    private PoolSnapshot Build(string name, PoolOptions options, RegistrySnapshot before)
    {
        var old = before.Pools.FirstOrDefault(pool => pool.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        var wasUnprobed = old is { Options.Health.Probe: null };
        var backends = options.Backends
            .OrderBy(backend => backend.Key, StringComparer.OrdinalIgnoreCase)
            .Select(backend => Build(name, backend.Key, backend.Value, old, trusted: wasUnprobed && options.Health.Probe is not null))
            .ToImmutableArray();
        return Freeze(name, options, backends);
    }

    // A backend that served without probes goes on serving when probes are switched on, until one of them fails.
    private Backend Build(string pool, string name, BackendOptions options, PoolSnapshot? old, bool trusted)
    {
        var address = new Uri(options.Address);
        var backend = old?.Backends.FirstOrDefault(b => b.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && b.Address == address);
        if (backend is null)
        {
            backend = new Backend(pool, name, address, Tunnels, names);
            LogAdded(pool, name, address);
            trusted = false;
        }

        backend.Configure(options.Weight, options.MaxTunnels);
        if (!options.Enabled) SetState(backend, BackendState.Draining);
        else if (backend.State == BackendState.Draining) SetState(backend, BackendState.Unknown);
        else if (trusted && backend.State == BackendState.Unknown) SetState(backend, BackendState.Healthy);
        return backend;
    }

    private void SetState(Backend backend, BackendState state, string cause = "configuration")
    {
        if (backend.State == state) return;
        var level = state == BackendState.Unhealthy ? LogLevel.Warning : LogLevel.Information;
        LogStateChanged(level, backend.Pool, backend.Name, backend.State, state, cause);
        backend.SetState(state);
        if (state == BackendState.Unhealthy) backend.NoteAway(time.GetTimestamp());
        else if (state == BackendState.Healthy) backend.NoteBack();
    }

    // Where no probe says that all are down, all are used: traffic alone may be wrong about them.
    private PoolSnapshot Freeze(string name, PoolOptions options, ImmutableArray<Backend> backends)
    {
        if (!_turns.TryGetValue(name, out var turns)) _turns[name] = turns = new TurnCounter();
        var eligible = new BackendSet(backends.Where(backend => IsEligible(backend, options)));
        if (eligible.Count > 0 || (options.Health.Probe is not null && options.WhenNoneHealthy != NoneHealthyBehavior.UseAll))
            return new PoolSnapshot(name, options, backends, eligible, IsPanicking: false, turns);
        var enabled = new BackendSet(backends.Where(backend => backend.State != BackendState.Draining));
        return new PoolSnapshot(name, options, backends, enabled, IsPanicking: enabled.Count > 0, turns);
    }

    private static bool IsEligible(Backend backend, PoolOptions options)
        => backend.State == BackendState.Healthy || (backend.State == BackendState.Unknown && options.Health.Probe is null);

    private void Retire(RegistrySnapshot before, ImmutableArray<PoolSnapshot> pools)
    {
        foreach (var backend in before.Pools.SelectMany(pool => pool.Backends).Where(backend => IndexOf(pools, backend) < 0))
        {
            backend.SetState(BackendState.Draining);
            LogRemoved(backend.Pool, backend.Name, backend.ActiveTunnels, backend.ActiveRequests);
        }
    }

    private void Publish(RegistrySnapshot snapshot)
    {
        _current = snapshot;
        Changed?.Invoke(snapshot);
    }
}
