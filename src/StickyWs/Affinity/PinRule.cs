using StickyWs.Http1;
using StickyWs.Pinning;


namespace StickyWs.Affinity;

/// <summary>A rule whose keys are learnt from what backends answer, and found again in requests.</summary>
internal abstract class PinRule(string pool, string kind, string name)
{
    private readonly byte[] _prefix = PinKey.Prefix(pool, kind, name);

    protected string Name { get; } = name;

    /// <returns><see langword="false"/> when the request brings nothing that a backend could have given.</returns>
    public bool TryKey(in RequestView request, out PinKey key)
    {
        Span<byte> value = stackalloc byte[PinKey.LongestValue];
        var isFound = TryRead(request, value, out var length);
        key = isFound ? Key(value[..length]) : default;
        return isFound;
    }

    /// <summary>Whether the answer to this request may bring a key in its body.</summary>
    public virtual bool AwaitsBody(in RequestView request) => false;

    /// <summary>Learns a key from a whole body, or the beginning of a long one.</summary>
    public virtual bool TryLearn(ReadOnlySpan<byte> body, out PinKey key)
    {
        key = default;
        return false;
    }

    /// <summary>Learns a key from an answer's head.</summary>
    public virtual bool TryLearn(IAnswerHead answer, out PinKey key)
    {
        key = default;
        return false;
    }

    protected abstract bool TryRead(in RequestView request, Span<byte> value, out int length);

    protected PinKey Key(ReadOnlySpan<byte> value) => PinKey.Of(_prefix, value);
}
