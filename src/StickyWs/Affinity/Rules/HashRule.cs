using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>A rule that takes a key from the request and finds its backend by hashing alone.</summary>
internal abstract class HashRule(string pool, string kind, string name) : AffinityRule
{
    private readonly byte[] _prefix = PinKey.Prefix(pool, kind, name.ToUpperInvariant());

    protected string Name { get; } = name;

    public sealed override ValueTask ApplyAsync(Claim claim, PoolSnapshot pool, in RequestView request)
    {
        if (TryKey(request, out var key)) claim.Hash(KeySource.Hash, key, claim.Rules.Pins.LastOf(key, claim.Rules.Options.PinLifetime), pool);
        return default;
    }

    /// <returns><see langword="false"/> when the request has nothing to hash.</returns>
    public bool TryKey(in RequestView request, out PinKey key)
    {
        Span<byte> value = stackalloc byte[PinKey.LongestValue];
        var isFound = TryRead(request, value, out var length);
        key = isFound ? PinKey.Of(_prefix, value[..length]) : default;
        return isFound;
    }

    protected abstract bool TryRead(in RequestView request, Span<byte> value, out int length);
}
