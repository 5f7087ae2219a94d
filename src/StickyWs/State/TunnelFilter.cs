namespace StickyWs.State;

/// <summary>Which tunnels are read.</summary>
public sealed class TunnelFilter
{
    /// <summary>Only tunnels of this pool.</summary>
    public string? Pool { get; init; }

    /// <summary>Only tunnels of backends with this name.</summary>
    public string? Backend { get; init; }

    /// <summary>The most that are read; the default is 1,000. A process can hold more than a hundred thousand.</summary>
    public int Limit { get; init; } = 1000;
}
