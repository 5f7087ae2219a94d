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
    /// Only the tunnel whose connection to the backend has this end. Tunnels that fit otherwise, and whose handshake was not recorded, are asked, which
    /// costs each about a microsecond of its own thread.
    /// </summary>
    public IPEndPoint? Upstream { get; init; }

    /// <summary>Only tunnels that have been open for this long.</summary>
    public TimeSpan MinAge { get; init; }

    /// <summary>Only tunnels in which no byte has moved for this long, within a second or so. All tunnels that fit otherwise are asked.</summary>
    public TimeSpan MinIdle { get; init; }

    /// <summary>Only tunnels that have been open for this long at most.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Only tunnels in which a byte has moved within this time. All tunnels that fit otherwise are asked.</summary>
    public TimeSpan? MaxIdle { get; init; }

    /// <summary>Only tunnels that carry at least that many bytes a second, both ways together. Rates are known from the second look on.</summary>
    public double MinRate { get; init; }

    /// <summary>Only tunnels of this lane (<c>raw</c>, <c>portable</c>), kind of reactor (<c>io_uring</c>, <c>epoll</c>), or with TLS (<c>tls</c>).</summary>
    public string? Lane { get; init; }

    /// <summary>Only tunnels of clients whose pin begins with these hexadecimal digits, 4 to 32 of them.</summary>
    public string? Pin { get; init; }

    /// <summary>Only tunnels whose clients are led back like that.</summary>
    public TunnelTie? Tie { get; init; }

    /// <summary>Only tunnels of clients that connected to an address of the balancer's in this network.</summary>
    public IPNetwork? Local { get; init; }

    /// <summary>Only tunnels of clients that connected to this port.</summary>
    public int? LocalPort { get; init; }

    /// <summary>Only tunnels of this host, as far as handshakes were recorded.</summary>
    public string? Host { get; init; }

    /// <summary>Only tunnels whose path begins like that, as far as handshakes were recorded.</summary>
    public string? PathPrefix { get; init; }

    /// <summary>The most that are read; the default is 1,000. A process can hold more than a hundred thousand.</summary>
    public int Limit { get; init; } = 1000;
}
