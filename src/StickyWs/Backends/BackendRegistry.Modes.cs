using Microsoft.Extensions.Logging;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>
/// What each backend gets. The configuration says so, and so do orders at run time; the last word counts: an order stays in force through every reload
/// that does not change that backend's own mode.
/// </summary>
internal sealed partial class BackendRegistry
{
    private const string ByConfiguration = "configuration";
    private const string ByOrder = "order";
    private const string ByRemoval = "removed from the configuration";

    /// <summary>
    /// Raised under the writer's lock, after <see cref="Changed"/>, for each backend whose <see cref="Backend.Mode"/> has changed; those that were
    /// removed included. Handlers must be quick and must not call back.
    /// </summary>
    public event Action<Backend>? Turned;

    /// <summary>Changes what backends get, at once. One that was removed from the configuration does not come back: it is stopped at least.</summary>
    public void Order(IReadOnlyCollection<Backend> backends, BackendMode mode)
    {
        lock (_lock)
        {
            foreach (var backend in backends)
            {
                var isKnown = _current.PoolsInUse.Any(pool => pool.Backends.Contains(backend));
                Turn(backend, isKnown || mode > BackendMode.Stop ? mode : BackendMode.Stop, ByOrder);
            }

            if (_turned.Count > 0) Refresh(pool => pool.Backends.Any(_turned.Contains));
        }
    }

    /// <summary>Changes the weights of backends, at once and until the configuration says something new of them.</summary>
    /// <param name="backends">The backends.</param>
    /// <param name="weight">From 1 to 256; <see langword="null"/> for what the configuration says.</param>
    public void OrderWeight(IReadOnlyCollection<Backend> backends, int? weight)
    {
        lock (_lock)
        {
            Backend[] changed = [.. backends.Where(backend => backend.Weight != (weight ?? backend.ConfiguredWeight))];
            if (changed.Length == 0) return;
            foreach (var backend in changed)
            {
                LogWeightChanged(backend.Pool, backend.Name, backend.Weight, weight ?? backend.ConfiguredWeight);
                backend.OrderWeight(weight);
            }

            Refresh(pool => pool.Backends.Any(changed.Contains));
        }
    }

    private static bool IsOrdered(Backend backend) => backend.ModeCause == ByOrder;

    private void Configure(Backend backend, BackendMode mode)
    {
        if (mode == backend.ConfiguredMode) return;
        var isFirstStopped = mode > BackendMode.Stop && (!backend.IsDraining || IsHeldBack(backend));
        backend.ConfiguredMode = mode;
        Turn(backend, isFirstStopped ? BackendMode.Stop : mode, ByConfiguration);
    }

    // A reload that hands backends off, or cuts them, and adds others: as long as nobody else gets new work, because the others are not known yet, these
    // are only stopped. Otherwise their clients would be told to go, and find nothing, or come back to be told again.
    private void HandOver(RegistrySnapshot snapshot)
    {
        foreach (var pool in snapshot.Pools)
        {
            if (!pool.Backends.Any(IsHeldBack) || (snapshot.Before is not null && pool.IsUnknown && !HasOthers(snapshot, pool.Name))) continue;
            foreach (var backend in pool.Backends.Where(IsHeldBack)) Turn(backend, backend.ConfiguredMode, ByConfiguration);
        }
    }

    private static bool HasOthers(RegistrySnapshot snapshot, string pool)
        => snapshot.PoolsInUse.Any(one => one.Name.Equals(pool, StringComparison.OrdinalIgnoreCase) && one.Eligible.Any(backend => !backend.IsDraining));

    private static bool IsHeldBack(Backend backend)
        => backend is { Mode: BackendMode.Stop, ModeCause: ByConfiguration, ConfiguredMode: > BackendMode.Stop };

    private void Retire(Backend backend)
    {
        var least = backend.Options.Drain.WhenRemoved switch
        {
            RemovedBackendBehavior.HandOff => BackendMode.HandOff,
            RemovedBackendBehavior.Cut => BackendMode.Cut,
            _ => BackendMode.Stop,
        };
        Turn(backend, backend.Mode > least ? backend.Mode : least, ByRemoval);
    }

    private void Turn(Backend backend, BackendMode mode, string cause)
    {
        if (backend.Mode == mode && !(cause == ByOrder && IsHeldBack(backend))) return;
        var before = backend.State;
        backend.SetMode(mode, cause, time.GetUtcNow());
        if (backend.IsDraining) backend.Cool();
        if (backend.State != before && cause != ByRemoval) LogStateChanged(LogLevel.Information, backend.Pool, backend.Name, before, backend.State, cause);
        if (!_turned.Contains(backend)) _turned.Add(backend);
    }

    private void TellTurned()
    {
        if (_turned.Count == 0) return;
        Backend[] turned = [.. _turned];
        _turned.Clear();
        foreach (var backend in turned) Turned?.Invoke(backend);
    }
}
