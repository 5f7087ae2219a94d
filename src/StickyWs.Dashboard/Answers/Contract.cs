using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.State;

namespace StickyWs.Dashboard.Answers;

// What the API answers. Names and types are a contract: openapi.json describes them, and a test holds the two together. Times are ISO 8601, durations
// seconds. What is not known is left out.
internal sealed record StateAnswer(
    DateTimeOffset At,
    long Revision,
    int Tunnels,
    bool ReadOnly,
    IReadOnlyList<PoolAnswer> Pools,
    SteeringAnswer? Steering = null,
    ProcessAnswer? Process = null);

internal sealed record PoolAnswer(
    string Name,
    string Policy,
    bool Panicking,
    bool Awaited,
    WebSocketMode WebSockets,
    string? Tls,
    IReadOnlyList<string> Affinity,
    int HandshakesWaiting,
    int RequestsWaiting,
    IReadOnlyList<BackendAnswer> Backends);

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
    int ConfiguredWeight,
    double Share,
    double EffectiveWeight,
    int? MaxTunnels,
    int? MaxHandshakes,
    int? MaxRequests,
    int Tunnels,
    int Handshakes,
    int Requests,
    long BytesToBackend,
    long BytesToClient,
    BreakerState Breaker,
    ConvictionAnswer? Conviction,
    IReadOnlyList<ProbeAnswer> Probes,
    RecentAnswer? Recent);

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
    double? IdleSeconds,
    int? Reactor,
    string? Kind,
    string Tls,
    string? Pin,
    TunnelTie Tie,
    bool Frames,
    bool Told,
    double? RateToBackend,
    double? RateToClient,
    string? ForwardedClient,
    string? Host,
    string? Path,
    string? TlsVersion,
    string? ChosenBy,
    string? PinOutcome,
    double? HandshakeSeconds,
    string? TraceId);

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

internal sealed record SteerAnswer(
    DateTimeOffset At,
    string Action,
    string Target,
    bool DryRun,
    PlanAnswer Plan,
    IReadOnlyList<DrainAnswer> Drains,
    IReadOnlyList<BackendAnswer> Backends);

internal sealed record PlanAnswer(int Backends, int Tunnels, int Requests, int Handshakes, int Told, int Cut, IReadOnlyList<string> LeavesNone);

internal sealed record TunnelSteerAnswer(DateTimeOffset At, string Id, string Action, bool DryRun, TunnelAnswer? Tunnel);

internal sealed record SnapshotEvent(DateTimeOffset At, long Missed, StateAnswer State);

internal sealed record ConfigurationEvent(DateTimeOffset At, StateAnswer State);

internal sealed record BackendEvent(DateTimeOffset At, BackendState Before, BackendAnswer Backend);

internal sealed record DrainedEvent(DateTimeOffset At, DrainAnswer Drain);

internal sealed record PoolEvent(DateTimeOffset At, PoolAnswer Pool);

internal sealed record TunnelOpenedEvent(DateTimeOffset At, TunnelAnswer Tunnel);

internal sealed record TunnelEndedEvent(
    DateTimeOffset At, TunnelAnswer Tunnel, EndReason Reason, string Farewell, int? ClientCloseCode, int? BackendCloseCode, int? OwnCloseCode);

internal sealed record RefusedEvent(DateTimeOffset At, RefusalAnswer Refusal);
