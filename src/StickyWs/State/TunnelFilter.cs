using System.Net;

namespace StickyWs.State;

/// <summary>Which tunnels are read. What is not set fits all.</summary>
public sealed class TunnelFilter
{
    /// <summary>Only the tunnel with this id.</summary>
    public string? Id { get; init; }

    /// <summary>Only tunnels of this pool.</summary>
    public string? Pool { get; init; }

    /// <summary>Only tunnels of backends with this name.</summary>
    public string? Backend { get; init; }

    /// <summary>Only tunnels of clients with an address in this network; one address is a network of its own.</summary>
    public IPNetwork? Client { get; init; }

    /// <summary>Only tunnels of clients that connected from this port.</summary>
    public int? ClientPort { get; init; }

    /// <summary>
    /// Only the tunnel whose connection to the backend has this end. All tunnels that fit otherwise are asked, which costs each about a microsecond of its
    /// own thread.
    /// </summary>
    public IPEndPoint? Upstream { get; init; }

    /// <summary>Only tunnels that have been open for this long.</summary>
    public TimeSpan MinAge { get; init; }

    /// <summary>Only tunnels in which no byte has moved for this long, within a second or so. All tunnels that fit otherwise are asked.</summary>
    public TimeSpan MinIdle { get; init; }

    /// <summary>The most that are read; the default is 1,000. A process can hold more than a hundred thousand.</summary>
    public int Limit { get; init; } = 1000;
}
