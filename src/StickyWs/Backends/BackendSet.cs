using System.Collections;

namespace StickyWs.Backends;

/// <summary>
/// The backends that may get new work, frozen: what a balancing policy chooses from. It holds the rotation that spreads turns
/// by weight and as evenly as possible, so that choosing in turn is one array read.
/// </summary>
public sealed class BackendSet : IReadOnlyList<Backend>
{
    private readonly Backend[] _backends;
    private readonly int[] _rotation;

    internal BackendSet(IEnumerable<Backend> backends)
    {
        _backends = [.. backends];
        _rotation = Rotate(_backends);
    }

    /// <summary>How many there are.</summary>
    public int Count => _backends.Length;

    /// <summary>The backend at a place, from 0.</summary>
    public Backend this[int index] => _backends[index];

    /// <summary>The place of the backend whose turn it is in a smooth weighted rotation; the set must not be empty.</summary>
    public int InTurn(uint turn) => _rotation[turn % (uint)_rotation.Length];

    /// <inheritdoc/>
    public IEnumerator<Backend> GetEnumerator() => _backends.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal BackendSet Without(Backend excluded) => new(_backends.Where(backend => backend != excluded));

    // Earliest deadline first: turn k of a backend with weight w is due at (k + 1/2) / w. Sorting by that spreads each
    // backend's turns evenly over one cycle of sum(weights) / gcd(weights) turns.
    private static int[] Rotate(Backend[] backends)
    {
        var weights = Array.ConvertAll(backends, backend => backend.Weight);
        var divisor = weights.Aggregate(0, Gcd);
        return
        [
            .. weights
                .SelectMany((weight, index) => Enumerable.Range(0, weight / divisor).Select(k => (Due: (k + 0.5) * divisor / weight, Index: index)))
                .OrderBy(turn => turn.Due)
                .ThenBy(turn => turn.Index)
                .Select(turn => turn.Index),
        ];
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
