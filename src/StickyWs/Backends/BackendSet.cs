using System.Collections;

namespace StickyWs.Backends;

/// <summary>
/// The backends that may get new work, immutable: the input of a balancing policy. It holds the rotation that spreads turns by weight as evenly as
/// possible, so that choosing in turn is one array read.
/// </summary>
public sealed class BackendSet : IReadOnlyList<Backend>
{
    private const int LongestCycle = 8192;

    private const int FinestScale = 20;

    private readonly Backend[] _backends;
    private readonly int[] _rotation;

    // Which index a backend of the rotation has here, -1 if it was left out; null if the rotation is this set's own.
    private readonly int[]? _places;

    // What is left without one of them, with a rotation of its own, kept once it was asked for. Only of a whole set: the subsets of all would be too many.
    private readonly BackendSet?[]? _without;
    private BackendSet? _warm;

    internal BackendSet(IEnumerable<Backend> backends)
        : this([.. backends], isWhole: true)
    {
    }

    // Nothing but arrays are copied: a storm's clients find one backend after the other full.
    private BackendSet(BackendSet from, int leftOut)
    {
        _backends = [.. from._backends[..leftOut], .. from._backends[(leftOut + 1)..]];
        _rotation = _backends.Length == 0 ? [] : from._rotation;
        _places = from._places is { } places ? [.. places] : [.. Enumerable.Range(0, from.Count)];
        foreach (ref var place in _places.AsSpan()) place = place == leftOut ? -1 : place > leftOut ? place - 1 : place;
        IsWarming = Array.Exists(_backends, backend => backend.IsWarming);
    }

    private BackendSet(Backend[] backends, bool isWhole)
    {
        _backends = backends;
        _rotation = Rotation.Of(Weights(backends));
        _without = isWhole ? new BackendSet?[backends.Length] : null;
        IsWarming = Array.Exists(backends, backend => backend.IsWarming);
    }

    /// <summary>Without backends.</summary>
    internal static BackendSet None { get; } = new([]);

    /// <summary>How many there are.</summary>
    public int Count => _backends.Length;

    /// <summary>The backend at an index, from 0.</summary>
    public Backend this[int index] => _backends[index];

    internal ReadOnlySpan<Backend> Span => _backends;

    /// <summary>Whether one of them has not its whole share yet.</summary>
    internal bool IsWarming { get; }

    /// <summary>Those that have their whole share.</summary>
    internal BackendSet Warm => _warm ??= new([.. _backends.Where(backend => !backend.IsWarming)], isWhole: false);

    /// <summary>The index of the backend whose turn it is in a smooth weighted rotation; the set must not be empty.</summary>
    public int InTurn(uint turn)
    {
        var at = (int)(turn % (uint)_rotation.Length);
        if (_places is null) return _rotation[at];
        while (_places[_rotation[at]] < 0) at = at + 1 == _rotation.Length ? 0 : at + 1;
        return _places[_rotation[at]];
    }

    /// <inheritdoc/>
    public IEnumerator<Backend> GetEnumerator() => _backends.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The index of a backend of the set.</summary>
    internal int IndexOf(Backend backend) => Array.IndexOf(_backends, backend);

    /// <summary>The others: with exact shares if one is left out, and if several are, the next in the rotation takes a missing one's turn.</summary>
    internal BackendSet Without(Backend excluded)
    {
        var index = IndexOf(excluded);
        if (index < 0) return this;
        if (_without is null) return new BackendSet(this, index);
        return _without[index] ??= new BackendSet([.. _backends.Where(backend => backend != excluded)], isWhole: false);
    }

    // Whole numbers in the proportion of the shares, exact for those who have all of theirs. The cycle is limited, and with it the cost of a change.
    private static int[] Weights(Backend[] backends)
    {
        var isWhole = !Array.Exists(backends, backend => backend.IsWarming);
        var scale = isWhole ? 1 : Math.Clamp(LongestCycle / backends.Sum(backend => backend.Weight), 1, FinestScale);
        return Array.ConvertAll(backends, backend => Math.Max(1, (int)((backend.FineWeight * scale + Backend.WholeShare / 2) / Backend.WholeShare)));
    }
}
