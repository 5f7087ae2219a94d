namespace StickyWs.Backends;

/// <summary>Open tunnels of all backends, removed ones included, against the limit for the whole process.</summary>
internal sealed class TunnelTotal
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool TryAdd(int limit)
    {
        if (Interlocked.Increment(ref _count) <= limit) return true;
        Interlocked.Decrement(ref _count);
        return false;
    }

    public void Remove() => Interlocked.Decrement(ref _count);
}
