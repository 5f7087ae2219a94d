using System.Runtime.CompilerServices;
using StickyWs.Backends;
using StickyWs.Pinning;

namespace StickyWs.Affinity;

/// <summary>Resolves a request to a claim: tries the pool's rules in order until one knows the client. Only the shared store can make it wait.</summary>
internal sealed class ClaimResolver(AffinityServices services)
{
    // A definition is one revision of a pool; it survives all state changes of its backends.
    private readonly ConditionalWeakTable<PoolDefinition, RuleSet> _sets = [];

    /// <param name="pool">The pool.</param>
    /// <param name="request">The request.</param>
    /// <param name="isTunnel">Whether it is to open a tunnel.</param>
    /// <returns><see langword="null"/> for a pool without rules.</returns>
    public ValueTask<Claim?> ResolveAsync(PoolSnapshot pool, in RequestView request, bool isTunnel = true)
    {
        if (pool.Options.Affinity.Rules.Count == 0) return default;
        var set = SetOf(pool);
        var awaited = Awaited(set, request);
        var claim = new Claim(set, request.IsHttps, awaited) { MayLeave = isTunnel || awaited is not null || SignalRRule.IsNegotiation(request) };
        if (set.Cookie is { } rule) claim.Note(rule.TryRead(request, pool.Backends, out var cookie) ? cookie : null);
        return GoOnAsync(claim, pool, request, 0);
    }

    /// <summary>Whether a rule of the pool may learn from the body of the response to this request.</summary>
    public bool AwaitsBody(PoolSnapshot pool, in RequestView request) => Awaited(SetOf(pool), request) is not null;

    /// <summary>Whether requests of the pool may have to wait for the shared store.</summary>
    public bool MayWait(PoolSnapshot pool) => services.Pins.AreShared && pool.Options.Affinity.Rules.Count > 0 && !SetOf(pool).Learning.IsEmpty;

    private RuleSet SetOf(PoolSnapshot pool)
        => _sets.TryGetValue(pool.Definition, out var known)
            ? known
            : _sets.GetValue(pool.Definition, pool => new RuleSet(pool.Name, pool.Options.Affinity, services));

    private static AffinityRule? Awaited(RuleSet set, in RequestView request)
    {
        foreach (var rule in set.Learning)
        {
            if (rule.AwaitsBody(request)) return rule;
        }

        return null;
    }

    // No state machine, and nothing allocated, unless a rule waits.
    private static ValueTask<Claim?> GoOnAsync(Claim claim, PoolSnapshot pool, in RequestView request, int first)
    {
        var set = claim.Rules;
        for (var i = first; i < set.Rules.Length && claim.Source == KeySource.None; i++)
        {
            var applied = set.Rules[i].ApplyAsync(claim, pool, request);
            if (!applied.IsCompletedSuccessfully) return WaitAsync(applied, claim, pool, request, i + 1);
        }

        // What is learned now cannot be shared with the other instances, nor can their pins be seen here. All instances therefore fall back to what they
        // can agree on.
        var isCutOff = claim.Source == KeySource.None && set.Pins.IsCutOff && !set.Learning.IsEmpty;
        if (isCutOff && set.Address.TryKey(request, out var address)) claim.Hash(KeySource.Fallback, address, null, pool);
        return new ValueTask<Claim?>(claim);
    }

    private static async ValueTask<Claim?> WaitAsync(ValueTask applied, Claim claim, PoolSnapshot pool, RequestView request, int next)
    {
        await applied.ConfigureAwait(false);
        return await GoOnAsync(claim, pool, request, next).ConfigureAwait(false);
    }
}
