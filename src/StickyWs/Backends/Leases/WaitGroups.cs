namespace StickyWs.Backends;

/// <summary>
/// Those of a line who wait for any backend, in groups that would take the same ones: the first for a backend is the first of a group, however many stand
/// before it that wait for others. Guarded by the line's lock.
/// </summary>
internal sealed class WaitGroups
{
    // Few: one for each set of backends that somebody has tried in vain.
    private readonly List<LinkedList<Waiter>> _groups = [];

    public int Count { get; private set; }

    /// <summary>All who wait, in the order of the line within each group.</summary>
    public IEnumerable<Waiter> All => _groups.SelectMany(group => group);

    /// <summary>The pools whose backends they wait for.</summary>
    public IEnumerable<PoolSnapshot> Pools => _groups.Select(group => group.First!.Value.Pool).Distinct();

    /// <summary>One that has its number comes last.</summary>
    public void Add(Waiter waiter)
    {
        waiter.Place = GroupOf(waiter).AddLast(waiter);
        Count++;
    }

    public void Remove(Waiter waiter)
    {
        var group = waiter.Place!.List!;
        group.Remove(waiter.Place);
        Count--;
        if (group.Count == 0) _groups.Remove(group);
    }

    /// <summary>The first that a backend is good for.</summary>
    public Waiter? First(Backend backend)
    {
        Waiter? first = null;
        foreach (var group in _groups)
        {
            var waiter = group.First!.Value;
            if (!(first?.Number < waiter.Number) && waiter.Accepts(backend)) first = waiter;
        }

        return first;
    }

    /// <summary>Those whom a backend was good for, and who can get no tunnel anywhere.</summary>
    public IEnumerable<Waiter> WithoutTunnel(Backend backend, LeaseKind kind)
        => _groups.Where(group => group.First!.Value is var first && first.Accepts(backend) && !first.MayGetTunnel(kind)).SelectMany(group => group);

    /// <summary>Their pools have changed.</summary>
    public void Regroup()
    {
        var all = All.OrderBy(waiter => waiter.Number).ToArray();
        _groups.Clear();
        Count = 0;
        foreach (var waiter in all)
        {
            waiter.Place!.List?.Remove(waiter.Place);
            Add(waiter);
        }
    }

    private LinkedList<Waiter> GroupOf(Waiter waiter)
    {
        foreach (var group in _groups)
        {
            if (group.First!.Value.WaitsLike(waiter)) return group;
        }

        LinkedList<Waiter> added = [];
        _groups.Add(added);
        return added;
    }
}
