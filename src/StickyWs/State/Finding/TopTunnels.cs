using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>The first of many tunnels in an order: only those are kept, however many are added.</summary>
internal sealed class TopTunnels
{
    private readonly int _limit;
    private readonly TunnelPlace? _after;
    private readonly bool _isReversed;
    private readonly PriorityQueue<Tunnel, TunnelPlace> _kept; // The last of them is at its head.
    private bool _isCut;

    /// <param name="limit">How many are kept at most.</param>
    /// <param name="after">The place after which they begin; <see langword="null"/> for the beginning.</param>
    /// <param name="isReversed">Whether the order is turned around.</param>
    public TopTunnels(int limit, TunnelPlace? after, bool isReversed)
    {
        (_limit, _after, _isReversed) = (limit, after, isReversed);
        _kept = new PriorityQueue<Tunnel, TunnelPlace>(Comparer<TunnelPlace>.Create((one, other) => Compare(other, one)));
    }

    /// <summary>How many were added.</summary>
    public int Added { get; private set; }

    public void Add(Tunnel tunnel, TunnelPlace place)
    {
        Added++;
        if (_after is { } after && Compare(place, after) <= 0) return;
        if (_kept.Count < _limit)
        {
            _kept.Enqueue(tunnel, place);
            return;
        }

        _isCut = true;
        if (_limit > 0) _kept.EnqueueDequeue(tunnel, place);
    }

    /// <summary>Those that were kept, in order, and the place of the last one if there are more after it.</summary>
    public (Tunnel[] Tunnels, TunnelPlace? Next) Take()
    {
        var page = new Tunnel[_kept.Count];
        TunnelPlace? last = _isCut && _kept.TryPeek(out _, out var place) ? place : null;
        for (var i = page.Length - 1; i >= 0; i--) page[i] = _kept.Dequeue();
        return (page, last);
    }

    private int Compare(TunnelPlace one, TunnelPlace other) => _isReversed ? other.CompareTo(one) : one.CompareTo(other);
}
