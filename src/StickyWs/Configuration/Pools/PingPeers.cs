namespace StickyWs.Configuration;

/// <summary>Which peers of a tunnel the balancer asks by pings of its own.</summary>
public enum PingPeers
{
    /// <summary>The client.</summary>
    Client,

    /// <summary>The backend.</summary>
    Backend,

    /// <summary>Either of them.</summary>
    Both,
}
