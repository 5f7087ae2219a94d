using StickyWs.Configuration;

namespace StickyWs.Draining;

/// <summary>How far the drain of a backend was at one moment.</summary>
public sealed class DrainStatus
{
    /// <summary>The name of its pool.</summary>
    public required string Pool { get; init; }

    /// <summary>Its name within the pool.</summary>
    public required string Backend { get; init; }

    /// <summary>How far it is taken out of service.</summary>
    public required BackendMode Mode { get; init; }

    /// <summary>What has come of it.</summary>
    public required DrainOutcome Outcome { get; init; }

    /// <summary>How many tunnels it held when this mode began, handshakes under way included.</summary>
    public required int Total { get; init; }

    /// <summary>How many it holds.</summary>
    public required int Left { get; init; }

    /// <summary>How many plain requests are under way.</summary>
    public required int Requests { get; init; }

    /// <summary>How many of its tunnels were told to go in this mode.</summary>
    public required int Told { get; init; }

    /// <summary>How many of its tunnels were aborted in this mode.</summary>
    public required int Cut { get; init; }

    /// <summary>When this mode began.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>When what is left is aborted; <see langword="null"/> for never.</summary>
    public DateTimeOffset? Until { get; init; }
}
