using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// Keys of clients that were told to leave a backend although their state is there (<c>Rebalance:Pinned</c>): until each has come back, what leads it
/// there does not count. A client may have been told of several tunnels: each of them comes back. Bounded in number and time; a key that is forgotten
/// leads its client back to where it was.
/// </summary>
internal sealed class Releases(TimeProvider time)
{
    /// <summary>How many keys are kept; the oldest make room.</summary>
    public const int Most = 65_536;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<PinKey, (Backend Backend, long At, int Tunnels)> _released = [];
    private readonly Queue<(PinKey Key, long At)> _order = new();
    private volatile bool _isAny;

    /// <summary>From now on the key does not lead its client to the backend, once more.</summary>
    public void Add(PinKey key, Backend backend)
    {
        if (key.IsNone) return;
        lock (_lock)
        {
            Forget();
            var now = time.GetTimestamp();
            var tunnels = _released.TryGetValue(key, out var before) && before.Backend == backend ? before.Tunnels + 1 : 1;
            _released[key] = (backend, now, tunnels);
            _order.Enqueue((key, now));
            _isAny = true;
        }
    }

    /// <summary>A key comes back that leads to the backend of this name.</summary>
    public Return TryTake(PinKey key, string backend)
    {
        if (!_isAny) return Return.None;
        lock (_lock)
        {
            Forget();
            if (!_released.TryGetValue(key, out var released)) return Return.None;
            if (released.Tunnels == 1) _released.Remove(key);
            else _released[key] = released with { Tunnels = released.Tunnels - 1 };
            return released.Backend.Name.Equals(backend, StringComparison.OrdinalIgnoreCase) ? Return.Released : Return.Moved;
        }
    }

    // A key that was added again is in the order twice; only the last time counts.
    private void Forget()
    {
        while (_order.TryPeek(out var oldest) && (_order.Count >= Most || time.GetElapsedTime(oldest.At) >= Lifetime))
        {
            _order.Dequeue();
            if (_released.TryGetValue(oldest.Key, out var released) && released.At == oldest.At) _released.Remove(oldest.Key);
        }

        _isAny = _order.Count > 0;
    }
}

/// <summary>Whether a client comes back that was told to go.</summary>
internal enum Return
{
    /// <summary>None is known of.</summary>
    None,

    /// <summary>It still has the key of the backend that it was told to leave, which is to be ignored this time.</summary>
    Released,

    /// <summary>Its key leads elsewhere already: it came back before, with another tunnel.</summary>
    Moved,
}
