namespace StickyWs.Backends;

/// <summary>What those need to know who wait for a place at a backend.</summary>
internal sealed partial class BackendRegistry
{
    /// <summary>Those who wait get no place any more, and nobody waits from now on: the host stops.</summary>
    public void CloseLines()
    {
        lock (_lock)
        {
            _isStopping = true;
            foreach (var lines in _lines.Values) lines.Close();
        }
    }

    private WaitLines LinesOf(string pool)
    {
        if (_lines.TryGetValue(pool, out var lines)) return lines;
        _lines[pool] = lines = new WaitLines(time);
        if (_isStopping) lines.Close();
        return lines;
    }

    // Before anybody can wait for what the snapshot has.
    private void AdmitWaiting(RegistrySnapshot snapshot)
    {
        if (snapshot.Before is null) foreach (var pool in snapshot.Pools) pool.Lines.Current = pool;
        else foreach (var (pool, lines) in _lines) lines.Current = InUse(snapshot, pool) ?? lines.Current;
        foreach (var backend in snapshot.PoolsInUse.SelectMany(pool => pool.Eligible)) backend.IsEligible = true;
    }

    // Limits may have been raised, too. Removed pools are among the lines.
    private void TellWaiting(RegistrySnapshot before)
    {
        HashSet<Backend> eligible = [.. _current.PoolsInUse.SelectMany(pool => pool.Eligible)];
        var known = _current.PoolsInUse.Concat(before.PoolsInUse).SelectMany(pool => pool.Backends);
        foreach (var backend in known) backend.IsEligible = eligible.Contains(backend);
        LookAtLines();
    }

    private void LookAtLines()
    {
        foreach (var lines in _lines.Values) lines.Look();
    }

    // The pool of this name that new work gets: the same choice as that of the router, which knows it by host and path.
    private static PoolSnapshot? InUse(RegistrySnapshot snapshot, string name)
    {
        var pool = snapshot.Pools.FirstOrDefault(pool => pool.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (snapshot.Before is null || pool?.IsUnknown == false) return pool;
        var earlier = InUse(snapshot.Before, name);
        return pool is null || earlier is { Eligible.Count: > 0 } || (earlier is null && pool.AwaitsFirstProbes) ? earlier : pool;
    }
}
