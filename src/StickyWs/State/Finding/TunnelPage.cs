namespace StickyWs.State;

/// <summary>Some of the tunnels, in order, and how many more there are.</summary>
public sealed class TunnelPage
{
    /// <summary>The tunnels; one that ended while it was read may be among them.</summary>
    public required IReadOnlyList<TunnelStatus> Tunnels { get; init; }

    /// <summary>How many fit, on this page and all others.</summary>
    public required int Fitting { get; init; }

    /// <summary>How many are open.</summary>
    public required int Open { get; init; }

    /// <summary>Where the next page goes on; <see langword="null"/> after the last one.</summary>
    public string? Next { get; init; }
}
