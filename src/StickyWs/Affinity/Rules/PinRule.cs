using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>A rule whose keys are learned from responses of backends and recognized in requests.</summary>
internal abstract class PinRule(string pool, string kind, string name) : AffinityRule
{
    private readonly byte[] _prefix = PinKey.Prefix(pool, kind, name);

    protected string Name { get; } = name;

    public sealed override bool Learns => true;

    /// <summary>Asks the shared store if this process does not know the pin, or knows one that is old or leads to a backend that is down.</summary>
    public sealed override ValueTask ApplyAsync(Claim claim, PoolSnapshot pool, in RequestView request)
    {
        if (!TryKey(request, out var key)) return default;
        var pins = claim.Rules.Pins;
        if (pins.TryFind(key, claim.Rules.Options.PinLifetime, out var backend, out var isFresh)) claim.Follow(KeySource.Pin, key, backend, pool);
        return pins.IsAskable && (!isFresh || claim.First is null) ? AskAsync(claim, pool, key) : default;
    }

    /// <returns><see langword="false"/> when the request contains nothing that a backend could have issued.</returns>
    public bool TryKey(in RequestView request, out PinKey key)
    {
        Span<byte> value = stackalloc byte[PinKey.LongestValue];
        var isFound = TryRead(request, value, out var length);
        key = isFound ? Key(value[..length]) : default;
        return isFound;
    }

    protected abstract bool TryRead(in RequestView request, Span<byte> value, out int length);

    protected PinKey Key(ReadOnlySpan<byte> value) => PinKey.Of(_prefix, value);

    private static async ValueTask AskAsync(Claim claim, PoolSnapshot pool, PinKey key)
    {
        var found = await claim.Rules.Pins.FindSharedAsync(key, claim.Rules.Options.PinLifetime).ConfigureAwait(false);
        if (found is not null) claim.Follow(KeySource.Pin, key, found, pool);
    }
}
