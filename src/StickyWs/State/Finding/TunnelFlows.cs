using System.Net;

namespace StickyWs.State;

/// <summary>Tunnels, counted by where they come from and where they lead.</summary>
public sealed class TunnelFlows
{
    /// <summary>The flows, the largest first; at most 1,000.</summary>
    public required IReadOnlyList<TunnelFlow> Flows { get; init; }

    /// <summary>How many tunnels fit, in these flows and all others.</summary>
    public required int Fitting { get; init; }

    /// <summary>How many are open.</summary>
    public required int Open { get; init; }
}

/// <summary>Tunnels that have in common where they come in, by which lane, and where they lead.</summary>
public sealed class TunnelFlow
{
    /// <summary>The end of the clients' connections here; <see langword="null"/> where there is none (servers in memory, unix sockets).</summary>
    public IPEndPoint? Listener { get; init; }

    /// <summary>The name of the pool.</summary>
    public required string Pool { get; init; }

    /// <summary>The name of the backend.</summary>
    public required string Backend { get; init; }

    /// <summary>The lane: <c>raw</c> or <c>portable</c>.</summary>
    public required string Lane { get; init; }

    /// <summary>What the reactors wait with; <see langword="null"/> in the portable lane.</summary>
    public string? ReactorKind { get; init; }

    /// <summary>As <see cref="TunnelStatus.Tls"/>.</summary>
    public required string Tls { get; init; }

    /// <summary>How many tunnels.</summary>
    public required int Tunnels { get; init; }

    /// <summary>Bytes that these tunnels have relayed to the backend.</summary>
    public required long BytesToBackend { get; init; }

    /// <summary>Bytes that they have relayed to clients.</summary>
    public required long BytesToClient { get; init; }
}
