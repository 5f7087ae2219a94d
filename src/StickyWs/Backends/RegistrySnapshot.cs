using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>Everything the data path needs to know, at one point in time.</summary>
/// <param name="Options">The options in effect.</param>
/// <param name="Revision">The revision of its definitions: a change of a backend's state keeps it.</param>
/// <param name="Pools">The pools, by the order of their names.</param>
/// <param name="Before">The previous configuration, while a pool's new backends are not known: it routes such a pool's requests.</param>
internal sealed record RegistrySnapshot(StickyWsOptions Options, long Revision, ImmutableArray<PoolSnapshot> Pools, RegistrySnapshot? Before = null)
{
    /// <summary>The proxies whose word on a client's address is trusted, parsed once per change of the options.</summary>
    public Networks TrustedProxies { get; } = new(Options.TrustedProxies);

    /// <summary>All pools that may get work, those of the newest configuration first.</summary>
    public IEnumerable<PoolSnapshot> PoolsInUse => Before is null ? Pools : Pools.Concat(Before.PoolsInUse);

    /// <summary>The revisions of all pools that may get work, the newest first.</summary>
    public IEnumerable<long> RevisionsInUse => Before is null ? [Revision] : Before.RevisionsInUse.Prepend(Revision);

    public static RegistrySnapshot Empty { get; } = new(Definitions.None.Options, Definitions.None.Revision, Pools: []);
}
