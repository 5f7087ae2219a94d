using StickyWs.Backends;

namespace StickyWs.Direct;

/// <summary>
/// The idle connections of one reactor to backends. The one that was used last is used first, so that as few as possible stay in use. They close when they
/// were idle or are open for too long, or when their backend is no more.
/// </summary>
internal sealed class KeptLinks(DirectDesk desk)
{
    private readonly Dictionary<Backend, List<BackendLink>> _links = [];
    private RegistrySnapshot? _seen;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Takes one that is still as it was left: a connection on which anything came meanwhile is not used again.</summary>
    public BackendLink? TryTake(Backend backend)
    {
        if (!_links.TryGetValue(backend, out var links)) return null;
        while (links.Count > 0)
        {
            var link = links[^1];
            links.RemoveAt(links.Count - 1);
            Count--;
            if (!link.IsOverdue && link.IsQuiet) return link;
            link.Close(isReset: false);
        }

        return null;
    }

    public void Add(BackendLink link)
    {
        if (!_links.TryGetValue(link.Backend, out var links)) _links[link.Backend] = links = [];
        links.Add(link);
        Count++;
    }

    /// <summary>It has ended by itself.</summary>
    public void Remove(BackendLink link)
    {
        if (_links.TryGetValue(link.Backend, out var links) && links.Remove(link)) Count--;
    }

    public void Sweep()
    {
        var current = desk.Services.Registry.Current;
        if (!ReferenceEquals(current, _seen)) DropRemoved(current);
        _seen = current;
        foreach (var links in _links.Values)
        {
            for (var i = links.Count - 1; i >= 0; i--)
            {
                if (links[i].IsOverdue) CloseAt(links, i);
            }
        }
    }

    /// <summary>Closes some of those that were idle the longest.</summary>
    public void CloseSurplus(int count)
    {
        foreach (var links in _links.Values)
        {
            for (; count > 0 && links.Count > 0; count--) CloseAt(links, 0);
        }
    }

    private void DropRemoved(RegistrySnapshot current)
    {
        var inUse = current.PoolsInUse.SelectMany(pool => pool.Backends).ToHashSet();
        foreach (var (backend, links) in _links.Where(entry => !inUse.Contains(entry.Key)).ToArray())
        {
            while (links.Count > 0) CloseAt(links, links.Count - 1);
            _links.Remove(backend);
        }
    }

    private void CloseAt(List<BackendLink> links, int index)
    {
        var link = links[index];
        links.RemoveAt(index);
        Count--;
        link.Close(isReset: false);
    }
}
