namespace StickyWs.Backends;

/// <summary>Open tunnels of all backends, removed ones included, against the limit for the whole process.</summary>
internal sealed class TunnelTotal
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool TryAdd(int limit) => TryAdd(ref _count, limit);

    /// <summary>Counts one more, up to a limit. A refused one is never counted, not even for a moment, so that it cannot displace another.</summary>
    public static bool TryAdd(ref int count, int limit)
    {
        var seen = Volatile.Read(ref count);
        while (seen < limit)
        {
            var before = Interlocked.CompareExchange(ref count, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }

        return false;
    }

    public void Remove() => Interlocked.Decrement(ref _count);
}
