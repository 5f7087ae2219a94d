namespace StickyWs.State;

/// <summary>The balancer at one moment.</summary>
public sealed class StateSnapshot
{
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Grows with every change of the configuration that came into force; 0 before the first.</summary>
    public required long Revision { get; init; }

    /// <summary>How many tunnels are open.</summary>
    public required int Tunnels { get; init; }

    /// <summary>The pools, in the order of their names.</summary>
    public required IReadOnlyList<PoolStatus> Pools { get; init; }

    /// <summary>The process.</summary>
    public ProcessStatus? Process { get; init; }
}
