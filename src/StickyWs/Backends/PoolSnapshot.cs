using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>A pool at one point in time; replaced on every change of its definition or of a backend's state.</summary>
/// <param name="Definition">The source's definition.</param>
/// <param name="Backends">All its backends, in the order of their names.</param>
/// <param name="Eligible">Those that may get new work.</param>
/// <param name="IsPanicking">Whether <paramref name="Eligible"/> contains unhealthy backends because none is healthy.</param>
/// <param name="Turns">The pool's turn counter, which survives changes.</param>
/// <param name="Lines">Where those wait who found the limits of its backends reached; it survives changes, too.</param>
internal sealed record PoolSnapshot(
    PoolDefinition Definition,
    ImmutableArray<Backend> Backends,
    BackendSet Eligible,
    bool IsPanicking,
    TurnCounter Turns,
    WaitLines Lines)
{
    public string Name => Definition.Name;

    /// <summary>How many of its clients are to come back to its emptiest backends.</summary>
    public Returns Returns => Turns.Returns;

    /// <summary>Its settings, immutable by now.</summary>
    public PoolOptions Options => Definition.Options;

    /// <summary>Whether a backend uses TLS, which the raw lane supports only if <c>Transport:Tls</c> says so.</summary>
    public bool HasTls { get; } = Backends.Any(backend => BackendTls.IsUsedBy(backend.Address));

    /// <summary>Whether work that was routed to the one can go to the other: the way in which backends are reached was chosen by then.</summary>
    public bool IsReachedLike(PoolSnapshot other) => HasTls == other.HasTls && Options.IsPassthrough == other.Options.IsPassthrough;

    /// <summary>Backends without probes that traffic took out while others serve: now and then one request tries them.</summary>
    public ImmutableArray<Backend> Suspended { get; } = Definition.Options.Health.Probe is null && !IsPanicking
        ? [.. Backends.Where(backend => backend.State == BackendState.Unhealthy)] : [];

    /// <summary>Whether an enabled backend still awaits its first probe.</summary>
    public bool AwaitsFirstProbes { get; } = Definition.Options.Health.Probe is not null
        && Backends.Any(backend => backend.State == BackendState.Unknown && !backend.WasProbed);

    /// <summary>
    /// Whether it is too early to say if its backends can serve: a first probe is still pending, or none is healthy and some are not judged.
    /// </summary>
    public bool IsUnknown { get; } = Definition.Options.Health.Probe is not null
        && Backends.Any(backend => backend.State == BackendState.Unknown && (!backend.WasProbed || Eligible.Count == 0 || IsPanicking));
}
