using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Observability;

namespace StickyWs.Dashboard.Answers;

// What the API answers. Names and types are a contract: openapi.json describes them, and a test holds the two together. Times are ISO 8601, durations
// seconds. What is not known is left out.
internal sealed record StateAnswer(DateTimeOffset At, long Revision, int Tunnels, bool ReadOnly, IReadOnlyList<PoolAnswer> Pools);

internal sealed record PoolAnswer(string Name, string Policy, bool Panicking, bool Awaited, IReadOnlyList<BackendAnswer> Backends);

internal sealed record BackendAnswer(
    string Pool,
    string Name,
    string Address,
    BackendState State,
    string? Cause,
    BackendMode Mode,
    DateTimeOffset Since,
    bool Eligible,
    int Weight,
    int? MaxTunnels,
    int Tunnels,
    int Requests,
    long BytesToBackend,
    long BytesToClient);

internal sealed record TunnelsAnswer(DateTimeOffset At, int Open, int Fitting, int Shown, string? Next, IReadOnlyList<TunnelAnswer> Tunnels);

internal sealed record TunnelAnswer(
    string Id,
    string Pool,
    string Backend,
    string Lane,
    TupleAnswer? Client,
    TupleAnswer? Upstream,
    long BytesToBackend,
    long BytesToClient,
    double AgeSeconds,
    double? IdleSeconds);

internal sealed record TupleAnswer(string Source, string Destination);

internal sealed record DrainAnswer(
    string Pool,
    string Backend,
    BackendMode Mode,
    DrainOutcome Outcome,
    int Total,
    int Left,
    int Requests,
    int Told,
    int Cut,
    DateTimeOffset Since,
    DateTimeOffset? Until);

internal sealed record DrainsAnswer(DateTimeOffset At, IReadOnlyList<DrainAnswer> Drains);

internal sealed record SteerAnswer(DateTimeOffset At, string Action, string Target, IReadOnlyList<DrainAnswer> Drains, IReadOnlyList<BackendAnswer> Backends);

internal sealed record GoodbyeAnswer(DateTimeOffset At, string Id);

internal sealed record SnapshotEvent(DateTimeOffset At, long Missed, StateAnswer State);

internal sealed record ConfigurationEvent(DateTimeOffset At, StateAnswer State);

internal sealed record BackendEvent(DateTimeOffset At, BackendState Before, BackendAnswer Backend);

internal sealed record DrainedEvent(DateTimeOffset At, DrainAnswer Drain);

internal sealed record PoolEvent(DateTimeOffset At, PoolAnswer Pool);

internal sealed record TunnelOpenedEvent(DateTimeOffset At, TunnelAnswer Tunnel);

internal sealed record TunnelEndedEvent(DateTimeOffset At, TunnelAnswer Tunnel, EndReason Reason, string Farewell);
