using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>Everything the data path needs to know, at one moment.</summary>
/// <param name="Options">The options in force.</param>
/// <param name="Pools">The pools, by the order of their names.</param>
internal sealed record RegistrySnapshot(StickyWsOptions Options, ImmutableArray<PoolSnapshot> Pools)
{
    /// <summary>Whose word on a client's address is taken, parsed once per change of the options.</summary>
    public Networks TrustedProxies { get; } = new(Options.TrustedProxies);

    public static RegistrySnapshot Empty { get; } = new(new StickyWsOptions(), []);
}
