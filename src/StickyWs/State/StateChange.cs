using StickyWs.Backends;
using StickyWs.Draining;
using StickyWs.Observability;

namespace StickyWs.State;

/// <summary>Something that happened; one of the classes below.</summary>
public abstract class StateChange
{
    private protected StateChange()
    {
    }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>The state from which the changes that follow go on: the first one of a watch, and one after changes were missed.</summary>
public sealed class SnapshotTaken : StateChange
{
    /// <summary>The state.</summary>
    public required StateSnapshot Snapshot { get; init; }

    /// <summary>How many changes were missed before it.</summary>
    public required long Missed { get; init; }
}

/// <summary>A changed configuration came into force.</summary>
public sealed class ConfigurationChanged : StateChange
{
    /// <summary>The state with it.</summary>
    public required StateSnapshot Snapshot { get; init; }
}

/// <summary>The state, the mode or the weight of a backend changed, or whether it gets new work.</summary>
public sealed class BackendChanged : StateChange
{
    /// <summary>The backend, after the change.</summary>
    public required BackendStatus Backend { get; init; }

    /// <summary>Its state before.</summary>
    public required BackendState Before { get; init; }
}

/// <summary>A backend that drains is empty; or it was cut, and what was left has ended.</summary>
public sealed class BackendDrained : StateChange
{
    /// <summary>The drain at its end.</summary>
    public required DrainStatus Drain { get; init; }
}

/// <summary>A pool began or ceased to panic, or its backends are known now.</summary>
public sealed class PoolChanged : StateChange
{
    /// <summary>The pool, after the change.</summary>
    public required PoolStatus Pool { get; init; }
}

/// <summary>A tunnel opened.</summary>
public sealed class TunnelOpened : StateChange
{
    /// <summary>The tunnel.</summary>
    public required TunnelStatus Tunnel { get; init; }
}

/// <summary>A tunnel ended.</summary>
public sealed class TunnelEnded : StateChange
{
    /// <summary>The tunnel, with its last counts. Its connection to the backend is closed, and told all the same if its handshake was recorded.</summary>
    public required TunnelStatus Tunnel { get; init; }

    /// <summary>Why it ended.</summary>
    public required EndReason Reason { get; init; }

    /// <summary>Which sides said farewell with a Close frame: <c>none</c>, <c>client</c>, <c>backend</c>, <c>both</c> or <c>unknown</c>.</summary>
    public required string Farewell { get; init; }

    /// <summary>The status code of the client's Close frame; <see langword="null"/> if none was seen.</summary>
    public int? ClientCloseCode { get; init; }

    /// <summary>The same of the backend.</summary>
    public int? BackendCloseCode { get; init; }

    /// <summary>
    /// The status code of the balancer's own Close frame, if it told both sides to go; <see langword="null"/> if it did not, or if frames were not followed.
    /// </summary>
    public int? OwnCloseCode { get; init; }
}

/// <summary>A handshake ended without a tunnel, or the balancer answered a plain request itself.</summary>
public sealed class RequestRefused : StateChange
{
    /// <summary>What was refused.</summary>
    public required RefusedRequest Refused { get; init; }
}
