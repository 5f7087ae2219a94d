using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>What a source defines. Immutable: compare revisions to detect a change.</summary>
/// <param name="Options">The options in effect for all pools.</param>
/// <param name="Pools">The pools, in the order of their names.</param>
/// <param name="Revision">Grows with every change of anything; 0 before the first.</param>
internal sealed record Definitions(StickyWsOptions Options, ImmutableArray<PoolDefinition> Pools, long Revision)
{
    public static Definitions None { get; } = new(new StickyWsOptions(), [], 0);

    /// <summary>The definitions in valid options.</summary>
    public static Definitions Of(StickyWsOptions options, long revision) => new(
        options,
        [.. options.Pools.OrderBy(pool => pool.Key, StringComparer.OrdinalIgnoreCase).Select(pool => PoolDefinition.Of(pool.Key, pool.Value, revision))],
        revision);
}

/// <summary>A pool as a source defines it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Options">Its settings. Its backends are <paramref name="Backends"/>, whatever the options say.</param>
/// <param name="Backends">Its backends, in the order of their names.</param>
/// <param name="Revision">Grows with every change of the pool.</param>
internal sealed record PoolDefinition(string Name, PoolOptions Options, ImmutableArray<BackendDefinition> Backends, long Revision)
{
    public static PoolDefinition Of(string name, PoolOptions options, long revision) => new(
        name,
        options,
        [.. options.Backends.OrderBy(backend => backend.Key, StringComparer.OrdinalIgnoreCase)
            .Select(backend => BackendDefinition.Of(backend.Key, backend.Value))],
        revision);
}

/// <summary>A backend as a source defines it.</summary>
/// <param name="Name">Its name within the pool.</param>
/// <param name="Address">Scheme, host and port.</param>
/// <param name="Weight">Its share of new work, 1 to 256.</param>
/// <param name="MaxTunnels">The maximum number of its tunnels; <see langword="null"/> for no limit.</param>
/// <param name="Mode">Whether it gets new work or drains, and how.</param>
internal sealed record BackendDefinition(string Name, Uri Address, int Weight, int? MaxTunnels, BackendMode Mode)
{
    /// <summary>How much work at a time it takes.</summary>
    public WorkLimits Limits { get; init; } = WorkLimits.None;

    /// <summary>Whether it gets new work; if not, it drains.</summary>
    public bool IsEnabled => Mode == BackendMode.On;

    public static BackendDefinition Of(string name, BackendOptions options)
        => new(name, new Uri(options.Address), options.Weight, options.MaxTunnels, options.EffectiveMode)
        {
            Limits = new WorkLimits(options.MaxHandshakes, options.MaxRequests, options.HandshakeRate),
        };
}
