using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>
/// How one configuration replaces another. While the new backends of a pool are still to be probed, its previous backends keep serving it, whatever
/// they were called: like the host's start, a change waits for first probes. If none of the new backends turns out healthy, the new configuration
/// applies anyway.
/// </summary>
internal sealed partial class BackendRegistry
{
    // If changes follow each other faster than probes, the intermediate ones are of no use.
    private const int MostBefore = 8;

    private static bool IsFirst(RegistrySnapshot before) => ReferenceEquals(before, RegistrySnapshot.Empty);

    private RegistrySnapshot Follow(RegistrySnapshot before, Definitions definitions, ImmutableArray<PoolSnapshot> pools)
    {
        var next = new RegistrySnapshot(definitions.Options, definitions.Revision, pools, IsFirst(before) ? null : Useful(before));
        if (IsKnown(next)) return next with { Before = null };
        foreach (var pool in pools)
        {
            if (next.Before is not null && pool.IsUnknown) LogAwaited(pool.Name);
        }

        return next;
    }

    // States may have changed since, and none of it was ready.
    private RegistrySnapshot? Useful(RegistrySnapshot before)
    {
        var depth = before.RevisionsInUse.Count();
        if (before.Before is { } useful && (depth > MostBefore || before.Pools.All(pool => pool.IsUnknown))) return Useful(useful);
        return Refrozen(before, static _ => true, isEarlier: true);
    }

    /// <summary>Rebuilds the snapshots that contain the backend, and drops what is no longer needed.</summary>
    private void Refresh(Backend backend) => Refresh(pool => pool.Backends.Contains(backend));

    private void Refresh(Func<PoolSnapshot, bool> isConcerned)
    {
        var next = Refrozen(_current, isConcerned, isEarlier: false);
        if (next.Before is not null)
        {
            foreach (var (was, pool) in _current.Pools.Zip(next.Pools))
            {
                if (was.IsUnknown && !pool.IsUnknown) LogKnown(pool);
            }
        }

        Publish(IsKnown(next) ? next with { Before = null } : next);
    }

    private static bool IsKnown(RegistrySnapshot snapshot) => snapshot.Pools.All(pool => !pool.IsUnknown);

    private RegistrySnapshot Refrozen(RegistrySnapshot snapshot, Func<PoolSnapshot, bool> isConcerned, bool isEarlier) => snapshot with
    {
        Pools = [.. snapshot.Pools.Select(pool => isConcerned(pool) ? Freeze(pool.Definition, pool.Backends, isEarlier) : pool)],
        Before = snapshot.Before is { } before ? Refrozen(before, isConcerned, isEarlier: true) : null,
    };

    // Backends stopped by the change that added the new ones: still better than none. Those that it hands off or cuts are only stopped until then. But an
    // operator's order is one.
    private static BackendSet StillServing(PoolDefinition pool, ImmutableArray<Backend> backends)
        => new(backends.Where((backend, i) => backend.Mode == BackendMode.Stop && !IsOrdered(backend) && pool.Backends[i].IsEnabled && IsFit(backend, pool)));

    private void LogKnown(PoolSnapshot pool)
    {
        if (pool is { Eligible.Count: > 0, IsPanicking: false }) LogKnown(pool.Name);
        else LogNoneHealthy(pool.Name);
    }

    private void Retire(RegistrySnapshot before)
    {
        var inUse = _current.PoolsInUse.SelectMany(pool => pool.Backends).ToHashSet();
        foreach (var backend in before.PoolsInUse.SelectMany(pool => pool.Backends).Distinct().Where(backend => !inUse.Contains(backend)))
        {
            var pool = _current.Pools.FirstOrDefault(pool => pool.Name.Equals(backend.Pool, StringComparison.OrdinalIgnoreCase));
            if (pool is not null) backend.Follow(pool.Options);
            LogRemoved(backend.Pool, backend.Name, backend.ActiveTunnels, backend.ActiveRequests);
            Retire(backend);
        }
    }
}
