using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Answers;

/// <summary>From the balancer's state to the contract.</summary>
internal static partial class Translation
{
    public static StateAnswer ToAnswer(this StateSnapshot state, bool isReadOnly)
        => new(state.At, state.Revision, state.Tunnels, isReadOnly, [.. state.Pools.Select(ToAnswer)]);

    public static PoolAnswer ToAnswer(this PoolStatus pool)
        => new(pool.Name, pool.Policy, pool.IsPanicking, pool.IsAwaited, pool.WebSockets, pool.IsPassthrough ? "Passthrough" : null, pool.Affinity,
            pool.WaitingHandshakes, pool.WaitingRequests, [.. pool.Backends.Select(ToAnswer)]);

    public static BackendAnswer ToAnswer(this BackendStatus backend) => new(
        backend.Pool,
        backend.Name,
        backend.Address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped),
        backend.State,
        backend.Cause,
        backend.Mode,
        backend.Since,
        backend.IsEligible,
        backend.Weight,
        backend.ConfiguredWeight,
        backend.Share,
        backend.Weight * backend.Share,
        backend.MaxTunnels,
        backend.MaxHandshakes,
        backend.MaxRequests,
        backend.ActiveTunnels,
        backend.ActiveHandshakes,
        backend.ActiveRequests,
        backend.BytesToBackend,
        backend.BytesToClient,
        backend.Breaker,
        backend.Conviction?.ToAnswer(),
        [.. backend.Probes.Select(ToAnswer)],
        backend.Recent?.ToAnswer());

    public static TunnelAnswer ToAnswer(this TunnelStatus tunnel) => new(
        tunnel.Id,
        tunnel.Pool,
        tunnel.Backend,
        tunnel.Lane,
        tunnel.Client?.ToAnswer(),
        tunnel.Upstream?.ToAnswer(),
        tunnel.BytesToBackend,
        tunnel.BytesToClient,
        tunnel.Age.TotalSeconds,
        tunnel.Idle?.TotalSeconds,
        tunnel.Reactor,
        tunnel.ReactorKind,
        tunnel.Tls,
        tunnel.Pin,
        tunnel.Tie,
        tunnel.HasFrames,
        tunnel.WasTold,
        tunnel.RateToBackend,
        tunnel.RateToClient,
        tunnel.ForwardedClient?.ToString(),
        tunnel.Host,
        tunnel.Path,
        tunnel.TlsVersion,
        tunnel.ChosenBy,
        tunnel.PinOutcome,
        tunnel.Handshake?.TotalSeconds,
        tunnel.TraceId);

    public static DrainAnswer ToAnswer(this DrainStatus drain) => new(
        drain.Pool,
        drain.Backend,
        drain.Mode,
        drain.Outcome,
        drain.Total,
        drain.Left,
        drain.Requests,
        drain.Told,
        drain.Cut,
        drain.Since,
        drain.Until);

    public static TupleAnswer ToAnswer(this TunnelTuple tuple) => new(tuple.Source.ToString(), tuple.Destination.ToString());
}
