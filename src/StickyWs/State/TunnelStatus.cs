using System.Net;

namespace StickyWs.State;

/// <summary>A tunnel at one moment.</summary>
public sealed class TunnelStatus
{
    /// <summary>
    /// Names it among all tunnels of the process: the id of its client's connection, as the log has it; for a stream of HTTP/2, the request's trace identifier.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>The name of its pool.</summary>
    public required string Pool { get; init; }

    /// <summary>The name of its backend.</summary>
    public required string Backend { get; init; }

    /// <summary>Its lane: <c>raw</c> or <c>portable</c>.</summary>
    public required string Lane { get; init; }

    /// <summary>The client's connection; <see langword="null"/> where it has no addresses (servers in memory, unix sockets).</summary>
    public TunnelTuple? Client { get; init; }

    /// <summary>The connection to the backend; <see langword="null"/> once it is closed.</summary>
    public TunnelTuple? Upstream { get; init; }

    /// <summary>Bytes relayed from the client to the backend.</summary>
    public required long BytesToBackend { get; init; }

    /// <summary>Bytes relayed from the backend to the client.</summary>
    public required long BytesToClient { get; init; }

    /// <summary>How long it has been open.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>For how long no byte has moved, within a second or so; <see langword="null"/> in a <see cref="StateChange"/>, for which nobody asks.</summary>
    public TimeSpan? Idle { get; init; }
}
