using StickyWs.Configuration;

namespace StickyWs.State;

/// <summary>A pool at one moment.</summary>
public sealed class PoolStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The name of its balancing policy.</summary>
    public required string Policy { get; init; }

    /// <summary>Whether it uses backends that are not healthy because none is.</summary>
    public required bool IsPanicking { get; init; }

    /// <summary>
    /// Whether its backends are still to be probed for the first time. After a change of the configuration, the backends of before serve until then.
    /// </summary>
    public required bool IsAwaited { get; init; }

    /// <summary>Its backends, in the order of their names.</summary>
    public required IReadOnlyList<BackendStatus> Backends { get; init; }

    /// <summary>How its handshakes are handled.</summary>
    public WebSocketMode WebSockets { get; init; }

    /// <summary>Whether the TLS of its clients is passed through.</summary>
    public bool IsPassthrough { get; init; }

    /// <summary>The kinds of its affinity rules, in the order in which they are tried.</summary>
    public IReadOnlyList<string> Affinity { get; init; } = [];

    /// <summary>Handshakes that wait for a place at one of its backends.</summary>
    public int WaitingHandshakes { get; init; }

    /// <summary>Plain requests that do.</summary>
    public int WaitingRequests { get; init; }
}
