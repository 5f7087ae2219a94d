using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>What a source says there is. Immutable: whoever asks whether something changed compares revisions.</summary>
/// <param name="Options">The options in force for all pools.</param>
/// <param name="Pools">The pools, in the order of their names.</param>
/// <param name="Revision">Grows with every change of anything; 0 before the first.</param>
internal sealed record Definitions(StickyWsOptions Options, ImmutableArray<PoolDefinition> Pools, long Revision)
{
    public static Definitions None { get; } = new(new StickyWsOptions(), [], 0);

    /// <summary>What valid options say.</summary>
    public static Definitions Of(StickyWsOptions options, long revision) => new(
        options,
        [.. options.Pools.OrderBy(pool => pool.Key, StringComparer.OrdinalIgnoreCase).Select(pool => PoolDefinition.Of(pool.Key, pool.Value, revision))],
        revision);
}

/// <summary>What a source says a pool is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Options">How it works. Its backends are <paramref name="Backends"/>, whatever the options say.</param>
/// <param name="Backends">Its backends, in the order of their names.</param>
/// <param name="Revision">Grows with every change of the pool.</param>
internal sealed record PoolDefinition(string Name, PoolOptions Options, ImmutableArray<BackendDefinition> Backends, long Revision)
{
    public static PoolDefinition Of(string name, PoolOptions options, long revision) => new(
        name,
        options,
        [.. options.Backends.OrderBy(backend => backend.Key, StringComparer.OrdinalIgnoreCase).Select(backend => BackendDefinition.Of(backend.Key, backend.Value))],
        revision);
}

/// <summary>What a source says a backend is.</summary>
/// <param name="Name">Its name within the pool.</param>
/// <param name="Address">Scheme, host and port.</param>
/// <param name="Weight">Its share of new work, 1 to 256.</param>
/// <param name="MaxTunnels">The most tunnels that it holds; <see langword="null"/> for no limit.</param>
/// <param name="IsEnabled">Whether it gets new work; if not, it drains.</param>
internal sealed record BackendDefinition(string Name, Uri Address, int Weight, int? MaxTunnels, bool IsEnabled)
{
    public static BackendDefinition Of(string name, BackendOptions options) => new(name, new Uri(options.Address), options.Weight, options.MaxTunnels, options.Enabled);
}
