using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using StickyWs.Names;

namespace StickyWs.Backends;

/// <summary>
/// The registry: the only shared mutable state. Configuration and health write it under one lock; all readers use <see cref="Current"/>, an immutable
/// snapshot, without a lock.
/// </summary>
internal sealed partial class BackendRegistry(ILogger<BackendRegistry> logger, TimeProvider time, AddressBook? names = null)
{
    private readonly Lock _lock = new();
    private readonly List<Backend> _turned = [];
    private readonly Dictionary<string, TurnCounter> _turns = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, WaitLines> _lines = new(StringComparer.OrdinalIgnoreCase);
    private bool _isStopping;
    private volatile RegistrySnapshot _current = RegistrySnapshot.Empty;

    /// <summary>Raised under the writer's lock after every change of <see cref="Current"/>; handlers must be quick and must not call back.</summary>
    public event Action<RegistrySnapshot>? Changed;

    /// <summary>
    /// Raised under the writer's lock after every verdict on a backend's health, also one that changes no snapshot because the backend drains; handlers as
    /// those of <see cref="Changed"/>.
    /// </summary>
    public event Action<Backend>? Judged;

    public RegistrySnapshot Current => _current;

    public TunnelTotal Tunnels { get; } = new();

    /// <summary>
    /// Applies a source's definitions, unless newer ones are in effect. A backend that keeps its pool, name and address keeps its health, counts and
    /// tunnels.
    /// </summary>
    public void Apply(Definitions definitions)
    {
        lock (_lock)
        {
            if (definitions.Revision <= _current.Revision) return;
            var pools = definitions.Pools.Select(pool => Build(pool, _current)).ToImmutableArray();
            Publish(Follow(_current, definitions, pools));
        }
    }

    /// <summary>Applies a verdict on a backend's health. A verdict on a removed backend changes nothing.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="health">Its health.</param>
    /// <param name="cause">Why, for the log.</param>
    /// <param name="isHearsay">Whether it is what traffic saw, until <see cref="Confirm"/>.</param>
    public void Report(Backend backend, BackendState health, string cause, bool isHearsay = false)
        => TryReport(backend, health, cause, isSuspicion: false, isHearsay);

    /// <summary>A probe or connect of the balancer's own has failed at a backend that is out.</summary>
    public void Confirm(Backend backend)
    {
        lock (_lock)
        {
            if (!backend.IsHearsay) return;
            backend.Confirm();
            Judged?.Invoke(backend);
        }
    }

    /// <summary>A probe of a backend has ended, with whatever result: the first one may be awaited.</summary>
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
    /// Takes a backend out on evidence that its clients may have caused themselves: never more than half of a pool, and never the last one that
    /// serves.
    /// </summary>
    /// <returns><see langword="false"/> when it has to stay.</returns>
    public bool TrySuspend(Backend backend, string cause)
    {
        if (TryReport(backend, BackendState.Unhealthy, cause, isSuspicion: true)) return true;
        if (!backend.IsDraining && backend.MaySaySpared(time)) LogSpared(backend.Pool, backend.Name, cause);
        return false;
    }

    private bool TryReport(Backend backend, BackendState health, string cause, bool isSuspicion, bool isHearsay = false)
    {
        lock (_lock)
        {
            var pool = _current.PoolsInUse.FirstOrDefault(pool => pool.Backends.Contains(backend));
            if (pool is null || backend.Health == health) return true;
            if (isSuspicion && !IsDispensable(pool, backend)) return false;
            SetHealth(backend, health, cause, isSuspicion, isHearsay);
            if (!backend.IsDraining || _current.Before is not null) Refresh(backend);
            else LookAtLines(); // Its own clients wait for it, though it gets no new work.
            Judged?.Invoke(backend);
            return true;
        }
    }

    // A draining backend must stay: no new client would try it, so nothing would bring it back.
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

    private PoolSnapshot Build(PoolDefinition pool, RegistrySnapshot before)
    {
        PoolSnapshot[] old = [.. before.PoolsInUse.Where(known => known.Name.Equals(pool.Name, StringComparison.OrdinalIgnoreCase))];
        var wasUnprobed = old is [{ Options.Health.Probe: null }, ..];
        var wasPanicking = old is [{ IsPanicking: true }, ..];
        var backends = pool.Backends
            .Select(backend => Build(pool.Name, pool.Options, backend, old, trusted: wasUnprobed && pool.Options.Health.Probe is not null, wasPanicking))
            .ToImmutableArray();
        return Freeze(pool, backends);
    }

    // A backend that served without probes continues to serve when probes are enabled, until one of them fails.
    private Backend Build(string pool, PoolOptions options, BackendDefinition definition, PoolSnapshot[] old, bool trusted, bool wasPanicking)
    {
        var backend = old.SelectMany(known => known.Backends)
            .FirstOrDefault(known => known.Name.Equals(definition.Name, StringComparison.OrdinalIgnoreCase) && known.Address == definition.Address);
        if (backend is null)
        {
            backend = new Backend(pool, definition.Name, definition.Address, Tunnels, names, time.GetUtcNow()) { Lines = LinesOf(pool) };
            LogAdded(pool, definition.Name, definition.Address);
            if (old.Any(known => known.Eligible.Count > 0)) backend.Cool();
            trusted = false;
        }

        backend.Configure(definition.Weight, definition.MaxTunnels, definition.Limits, time);
        backend.Follow(options);
        var isToTrust = backend.State == BackendState.Unknown || (wasPanicking && backend.State == BackendState.Unhealthy);
        if (trusted && definition.IsEnabled && isToTrust) SetHealth(backend, BackendState.Healthy, "configuration");
        Configure(backend, definition.Mode);
        return backend;
    }

    // Stopping a draining backend is expected, so it is no warning.
    private void SetHealth(Backend backend, BackendState health, string cause, bool isSuspicion = false, bool isHearsay = false)
    {
        var level = health == BackendState.Unhealthy && !backend.IsDraining ? LogLevel.Warning : LogLevel.Information;
        LogStateChanged(level, backend.Pool, backend.Name, backend.Health, health, backend.IsDraining ? $"{cause} (it drains)" : cause);
        backend.SetHealth(health, cause, time.GetUtcNow(), isSuspicion, isHearsay);
        if (health == BackendState.Unhealthy) backend.Cool();
        if (health == BackendState.Unhealthy) backend.NoteAway(time.GetTimestamp());
        else if (health == BackendState.Healthy) backend.NoteBack();
    }

    // Without probes that say all backends are down, all are used: traffic alone may be wrong about them.
    private PoolSnapshot Freeze(PoolDefinition pool, ImmutableArray<Backend> backends, bool isEarlier = false)
    {
        if (!_turns.TryGetValue(pool.Name, out var turns)) _turns[pool.Name] = turns = new TurnCounter();
        var fit = backends.Where(backend => !backend.IsDraining && IsFit(backend, pool)).ToArray();
        foreach (var backend in fit) backend.Warm(backend.Options.SlowStart, time); // The newest, though this be the pool as it was.
        var eligible = new BackendSet(fit);
        if (eligible.Count == 0 && isEarlier) eligible = StillServing(pool, backends);
        if (eligible.Count > 0 || (pool.Options.Health.Probe is not null && pool.Options.WhenNoneHealthy != NoneHealthyBehavior.UseAll))
            return new PoolSnapshot(pool, backends, eligible, IsPanicking: false, turns, LinesOf(pool.Name));
        var enabled = new BackendSet(backends.Where(backend => !backend.IsDraining));
        return new PoolSnapshot(pool, backends, enabled, IsPanicking: enabled.Count > 0, turns, LinesOf(pool.Name));
    }

    private static bool IsFit(Backend backend, PoolDefinition pool)
        => backend.Health == BackendState.Healthy || (backend.Health == BackendState.Unknown && pool.Options.Health.Probe is null);

    private void Publish(RegistrySnapshot snapshot)
    {
        var before = _current;
        HandOver(snapshot);
        AdmitWaiting(snapshot);
        _current = snapshot;
        Changed?.Invoke(snapshot);
        if (before.Revision != snapshot.Revision || before.Before is not null) Retire(before);
        TellWaiting(before);
        ScheduleStep();
        TellTurned();
    }
}
