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

    /// <summary>Takes over valid options. A backend that keeps its pool, name and address keeps its health, counts and tunnels.</summary>
    public void Apply(StickyWsOptions options)
    {
        lock (_lock)
        {
            var before = _current;
            var pools = options.Pools
                .OrderBy(pool => pool.Key, StringComparer.OrdinalIgnoreCase)
                .Select(pool => Build(pool.Key, pool.Value, before))
                .ToImmutableArray();
            Publish(Follow(before, options, pools));
        }
    }

    /// <summary>Takes over a verdict on a backend's health. One on a removed backend changes nothing.</summary>
    public void Report(Backend backend, BackendState health, string cause) => TryReport(backend, health, cause, isSuspicion: false);

    /// <summary>A probe of a backend has ended, whatever came of it: the first one may be waited for.</summary>
    public void NoteProbed(Backend backend)
    {
        if (backend.WasProbed) return;
        lock (_lock)
        {
            backend.NoteProbed();
            if (_current.Before is not null) Refresh(backend);
        }
    }

    /// <summary>
    /// Takes a backend out on evidence that its clients may have made themselves: never more than half of a pool, and never the last that serves.
    /// </summary>
    /// <returns><see langword="false"/> when it has to stay.</returns>
    public bool TrySuspend(Backend backend, string cause)
    {
        if (TryReport(backend, BackendState.Unhealthy, cause, isSuspicion: true)) return true;
        if (!backend.IsDraining && backend.MaySaySpared(time)) LogSpared(backend.Pool, backend.Name, cause);
        return false;
    }

    private bool TryReport(Backend backend, BackendState health, string cause, bool isSuspicion)
    {
        lock (_lock)
        {
            var pool = _current.PoolsInUse.FirstOrDefault(pool => pool.Backends.Contains(backend));
            if (pool is null || backend.Health == health) return true;
            if (isSuspicion && !IsDispensable(pool, backend)) return false;
            SetHealth(backend, health, cause, isSuspicion);
            if (!backend.IsDraining || _current.Before is not null) Refresh(backend);
            return true;
        }
    }

    // No new client would try one that drains, and so nothing would bring it back.
    private static bool IsDispensable(PoolSnapshot pool, Backend backend)
    {
        if (backend.IsDraining) return false;
        var (enabled, others) = (0, 0);
        foreach (var one in pool.Backends)
        {
            if (one.State == BackendState.Draining) continue;
            enabled++;
            if (one != backend && one.State != BackendState.Unhealthy) others++;
        }

        return others > 0 && others * 2 >= enabled;
    }

    private PoolSnapshot Build(string name, PoolOptions options, RegistrySnapshot before)
    {
        PoolSnapshot[] old = [.. before.PoolsInUse.Where(pool => pool.Name.Equals(name, StringComparison.OrdinalIgnoreCase))];
        var wasUnprobed = old is [{ Options.Health.Probe: null }, ..];
        var wasPanicking = old is [{ IsPanicking: true }, ..];
        var backends = options.Backends
            .OrderBy(backend => backend.Key, StringComparer.OrdinalIgnoreCase)
            .Select(backend => Build(name, backend.Key, backend.Value, old, trusted: wasUnprobed && options.Health.Probe is not null, wasPanicking))
            .ToImmutableArray();
        return Freeze(name, options, backends);
    }

    // A backend that served without probes goes on serving when probes are switched on, until one of them fails.
    private Backend Build(string pool, string name, BackendOptions options, PoolSnapshot[] old, bool trusted, bool wasPanicking)
    {
        var address = new Uri(options.Address);
        var backend = old.SelectMany(known => known.Backends).FirstOrDefault(b => b.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && b.Address == address);
        if (backend is null)
        {
            backend = new Backend(pool, name, address, Tunnels, names);
            LogAdded(pool, name, address);
            trusted = false;
        }

        backend.Configure(options.Weight, options.MaxTunnels);
        if (trusted && options.Enabled && (backend.State == BackendState.Unknown || (wasPanicking && backend.State == BackendState.Unhealthy))) SetHealth(backend, BackendState.Healthy, "configuration");
        SetDraining(backend, !options.Enabled);
        return backend;
    }

    private void SetDraining(Backend backend, bool isDraining)
    {
        if (backend.IsDraining == isDraining) return;
        var before = backend.State;
        backend.SetDraining(isDraining);
        LogStateChanged(LogLevel.Information, backend.Pool, backend.Name, before, backend.State, "configuration");
    }

    // Nobody is surprised when a backend that drains is stopped.
    private void SetHealth(Backend backend, BackendState health, string cause, bool isSuspicion = false)
    {
        var level = health == BackendState.Unhealthy && !backend.IsDraining ? LogLevel.Warning : LogLevel.Information;
        LogStateChanged(level, backend.Pool, backend.Name, backend.Health, health, backend.IsDraining ? $"{cause} (it drains)" : cause);
        backend.SetHealth(health, isSuspicion);
        if (health == BackendState.Unhealthy) backend.NoteAway(time.GetTimestamp());
        else if (health == BackendState.Healthy) backend.NoteBack();
    }

    // Where no probe says that all are down, all are used: traffic alone may be wrong about them.
    private PoolSnapshot Freeze(string name, PoolOptions options, ImmutableArray<Backend> backends, bool isEarlier = false)
    {
        if (!_turns.TryGetValue(name, out var turns)) _turns[name] = turns = new TurnCounter();
        var eligible = new BackendSet(backends.Where(backend => !backend.IsDraining && IsFit(backend, options)));
        if (eligible.Count == 0 && isEarlier) eligible = StillServing(options, backends);
        if (eligible.Count > 0 || (options.Health.Probe is not null && options.WhenNoneHealthy != NoneHealthyBehavior.UseAll))
            return new PoolSnapshot(name, options, backends, eligible, IsPanicking: false, turns);
        var enabled = new BackendSet(backends.Where(backend => !backend.IsDraining));
        return new PoolSnapshot(name, options, backends, enabled, IsPanicking: enabled.Count > 0, turns);
    }

    private static bool IsFit(Backend backend, PoolOptions options)
        => backend.Health == BackendState.Healthy || (backend.Health == BackendState.Unknown && options.Health.Probe is null);

    private void Publish(RegistrySnapshot snapshot)
    {
        var before = _current;
        _current = snapshot;
        Changed?.Invoke(snapshot);
        if (before.Options != snapshot.Options || before.Before is not null) Retire(before);
    }
}
