using System.Collections.Immutable;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>A pool at one moment; a new one is made for every change of its definition or of a backend's state.</summary>
/// <param name="Definition">What the source says it is.</param>
/// <param name="Backends">All its backends, in the order of their names.</param>
/// <param name="Eligible">Those that may get new work.</param>
/// <param name="IsPanicking">Whether <paramref name="Eligible"/> holds backends that are not healthy because none is.</param>
/// <param name="Turns">The pool's turn counter, which lives on through changes.</param>
internal sealed record PoolSnapshot(
    PoolDefinition Definition,
    ImmutableArray<Backend> Backends,
    BackendSet Eligible,
    bool IsPanicking,
    TurnCounter Turns)
{
    public string Name => Definition.Name;

    /// <summary>How it works. Nobody writes the options any more.</summary>
    public PoolOptions Options => Definition.Options;

    /// <summary>Whether some backend speaks TLS, which the raw lane does not.</summary>
    public bool HasTls { get; } = Backends.Any(backend => BackendTls.IsUsedBy(backend.Address));

    /// <summary>Backends that traffic took out, for want of probes, while others serve: now and then one request tries them.</summary>
    public ImmutableArray<Backend> Suspended { get; } = Definition.Options.Health.Probe is null && !IsPanicking ? [.. Backends.Where(backend => backend.State == BackendState.Unhealthy)] : [];

    /// <summary>Whether the first probe of an enabled backend is still to come.</summary>
    public bool AwaitsFirstProbes { get; } = Definition.Options.Health.Probe is not null && Backends.Any(backend => backend.State == BackendState.Unknown && !backend.WasProbed);

    /// <summary>Whether it is too early to say if its backends can serve: a first probe is still to come, or none is healthy and some are not judged.</summary>
    public bool IsUnknown { get; } = Definition.Options.Health.Probe is not null
        && Backends.Any(backend => backend.State == BackendState.Unknown && (!backend.WasProbed || Eligible.Count == 0 || IsPanicking));
}
