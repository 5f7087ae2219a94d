using System.Collections;

namespace StickyWs.Backends;

/// <summary>
/// The backends that may get new work, immutable: the input of a balancing policy. It holds the rotation that spreads turns by weight as evenly as
/// possible, so that choosing in turn is one array read.
/// </summary>
public sealed class BackendSet : IReadOnlyList<Backend>
{
    private readonly Backend[] _backends;
    private readonly int[] _rotation;

    internal BackendSet(IEnumerable<Backend> backends)
    {
        _backends = [.. backends];
        _rotation = Rotation.Of(Array.ConvertAll(_backends, backend => backend.Weight));
    }

    /// <summary>How many there are.</summary>
    public int Count => _backends.Length;

    /// <summary>The backend at an index, from 0.</summary>
    public Backend this[int index] => _backends[index];

    internal ReadOnlySpan<Backend> Span => _backends;

    /// <summary>The index of the backend whose turn it is in a smooth weighted rotation; the set must not be empty.</summary>
    public int InTurn(uint turn) => _rotation[turn % (uint)_rotation.Length];

    /// <inheritdoc/>
    public IEnumerator<Backend> GetEnumerator() => _backends.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal BackendSet Without(Backend excluded) => new(_backends.Where(backend => backend != excluded));
}
