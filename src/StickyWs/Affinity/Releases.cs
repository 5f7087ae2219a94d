using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// Keys of clients that were told to leave a backend although their state is there (<c>Rebalance:Pinned</c>): until each has come back, what leads it
/// there does not count. Bounded in number and time; a key that is forgotten leads its client back to where it was.
/// </summary>
internal sealed class Releases(TimeProvider time)
{
    /// <summary>How many keys are kept; the oldest make room.</summary>
    public const int Most = 65_536;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<PinKey, (Backend Backend, long At)> _released = [];
    private readonly Queue<(PinKey Key, long At)> _order = new();
    private volatile bool _isAny;

    /// <summary>From now on the key does not lead its client to the backend, once.</summary>
    public void Add(PinKey key, Backend backend)
    {
        if (key.IsNone) return;
        lock (_lock)
        {
            Forget();
            var now = time.GetTimestamp();
            _released[key] = (backend, now);
            _order.Enqueue((key, now));
            _isAny = true;
        }
    }

    /// <summary>Whether a key that leads to the backend of this name is to be ignored this time.</summary>
    public bool TryTake(PinKey key, string backend)
    {
        if (!_isAny) return false;
        lock (_lock)
        {
            Forget();
            return _released.TryGetValue(key, out var released)
                && released.Backend.Name.Equals(backend, StringComparison.OrdinalIgnoreCase) && _released.Remove(key);
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
