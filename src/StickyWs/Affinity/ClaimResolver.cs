using System.Runtime.CompilerServices;
using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>
/// Request to claim: the pool's rules in order, until one knows the client. It waits for nothing but the shared store, when there is one and this
/// process does not know the pin, or knows one that leads to a backend that is away.
/// </summary>
internal sealed class ClaimResolver(AffinityServices services)
{
    // A definition is one revision of a pool, and lives through all changes of its backends' states.
    private readonly ConditionalWeakTable<PoolDefinition, RuleSet> _sets = [];

    /// <returns><see langword="null"/> for a pool without rules.</returns>
    public ValueTask<Claim?> ResolveAsync(PoolSnapshot pool, in RequestView request)
    {
        if (pool.Options.Affinity.Rules.Count == 0) return default;
        var set = _sets.TryGetValue(pool.Definition, out var known) ? known : _sets.GetValue(pool.Definition, pool => new RuleSet(pool.Name, pool.Options.Affinity, services));
        var claim = new Claim(set, request.IsHttps, Awaited(set, request));
        if (set.Cookie is { } rule) claim.Note(rule.TryRead(request, pool.Backends, out var cookie) ? cookie : null);
        return GoOn(set, claim, pool, request, 0);
    }

    private static PinRule? Awaited(RuleSet set, in RequestView request)
    {
        foreach (var rule in set.Learning)
        {
            if (rule.AwaitsBody(request)) return rule;
        }

        return null;
    }

    private ValueTask<Claim?> GoOn(RuleSet set, Claim claim, PoolSnapshot pool, in RequestView request, int first)
    {
        var pins = services.Pins;
        for (var i = first; i < set.Rules.Length && claim.Source == KeySource.None; i++)
        {
            switch (set.Rules[i])
            {
                case CookieRule when claim.Cookie is { } cookie:
                    claim.Follow(KeySource.Cookie, cookie.Pin, cookie.Backend, pool);
                    break;
                case HashRule rule when rule.TryKey(request, out var key):
                    claim.Hash(KeySource.Hash, key, pins.LastOf(key, set.Options.PinLifetime), pool);
                    break;
                case PinRule rule when rule.TryKey(request, out var key):
                    if (pins.TryFind(key, set.Options.PinLifetime, out var backend, out var isFresh)) claim.Follow(KeySource.Pin, key, backend, pool);
                    if (pins.IsAskable && (!isFresh || claim.First is null)) return AskAsync(set, claim, pool, request, i, key);
                    break;
            }
        }

        // Neither can what is learnt now be told to the other instances, nor what they learnt meanwhile be known here: then all go by what they can agree on.
        if (claim.Source == KeySource.None && pins.IsCutOff && !set.Learning.IsEmpty && set.Address.TryKey(request, out var address)) claim.Hash(KeySource.Fallback, address, null, pool);
        return new ValueTask<Claim?>(claim);
    }

    private async ValueTask<Claim?> AskAsync(RuleSet set, Claim claim, PoolSnapshot pool, RequestView request, int rule, PinKey key)
    {
        if (await services.Pins.FindSharedAsync(key, set.Options.PinLifetime).ConfigureAwait(false) is { } backend) claim.Follow(KeySource.Pin, key, backend, pool);
        return await GoOn(set, claim, pool, request, rule + 1).ConfigureAwait(false);
    }
}
