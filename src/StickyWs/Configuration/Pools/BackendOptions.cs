namespace StickyWs.Configuration;

/// <summary>One backend of a pool.</summary>
public sealed class BackendOptions
{
    /// <summary>
    /// Where the backend listens: <c>http://host:port</c> or <c>https://host:port</c>, without path, query or user info. In a pool whose TLS is passed
    /// through: <c>tcp://host:port</c>, since the balancer itself speaks no TLS to it. Required.
    /// </summary>
    public string Address { get; set; } = "";

    /// <summary>The backend's share of new work, relative to the other backends of the pool. Range 1 to 256; default 1.</summary>
    [NumberRange(1, 256)]
    public int Weight { get; set; } = 1;

    /// <summary>
    /// Whether the backend gets new work. A disabled backend is draining: its tunnels stay open, and it is still probed. Default <see
    /// langword="true"/>.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>How many tunnels the backend may hold at once; a full backend is skipped. Range 1 to 100,000,000; default: no limit.</summary>
    [NumberRange(1, 100_000_000)]
    public int? MaxTunnels { get; set; }
}
