namespace StickyWs.Configuration;

/// <summary>A pool: a named set of backends with one policy and one way of probing.</summary>
public sealed class PoolOptions
{
    /// <summary>Which requests belong to the pool. Default: all.</summary>
    public MatchOptions Match { get; } = new();

    /// <summary>The backends by name; at least one. Names are compared without case.</summary>
    public IDictionary<string, BackendOptions> Backends { get; } = new Dictionary<string, BackendOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The name of the balancing policy: <c>RoundRobin</c>, <c>LeastConnections</c>, <c>PowerOfTwoChoices</c>, or the
    /// <see cref="Balancing.ILoadBalancingPolicy.Name"/> of a policy registered in DI. Default <c>RoundRobin</c>.
    /// </summary>
    public string Policy { get; set; } = "RoundRobin";

    /// <summary>How a client comes back to its backend. Default: not at all.</summary>
    public AffinityOptions Affinity { get; } = new();

    /// <summary>How long the pool's backends may take for each step.</summary>
    public TimeoutOptions Timeouts { get; } = new();

    /// <summary>How long connections to the pool's backends are kept for further plain requests.</summary>
    public KeptConnectionOptions Connections { get; } = new();

    /// <summary>What ends the pool's tunnels when neither side does.</summary>
    public TunnelOptions Tunnels { get; } = new();

    /// <summary>Which way the pool's WebSocket handshakes take. Default <see cref="WebSocketMode.Sniffed"/>.</summary>
    public WebSocketMode WebSockets { get; set; } = WebSocketMode.Sniffed;

    /// <summary>
    /// Protocols beside <c>websocket</c> to which clients may upgrade a connection (RFC 9110 section 7.8), as they write them into <c>Upgrade</c>: <c>tcp</c>,
    /// <c>SPDY/3.1</c>, <c>tailscale-control-protocol</c>. Such a request passes the application's middleware, and is tunnelled when a backend has
    /// agreed; one for a protocol that is not listed is answered 501. <c>websocket</c> and other forms of HTTP (<c>h2c</c>, <c>h2</c>, <c>HTTP</c>,
    /// <c>TLS</c>) are refused here. Default: none.
    /// </summary>
    public IList<string> Upgrades { get; } = [];

    /// <summary>What happens while no backend of the pool is healthy. Default <see cref="NoneHealthyBehavior.FailClosed"/>.</summary>
    public NoneHealthyBehavior WhenNoneHealthy { get; set; } = NoneHealthyBehavior.FailClosed;

    /// <summary>The <c>Retry-After</c> of a 503. Range 1 s to 1 h, sent in whole seconds; default 5 s.</summary>
    [TimeRange("00:00:01", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How the pool's backends are watched. Default: no probes, failures on the data path count.</summary>
    public HealthOptions Health { get; } = new();

    /// <summary>TLS towards <c>https</c> backends.</summary>
    public TlsOptions Tls { get; } = new();

    /// <summary>The HTTP version spoken with the backends for plain requests. Default <see cref="BackendHttpVersion.Auto"/>.</summary>
    public BackendHttpVersion HttpVersion { get; set; } = BackendHttpVersion.Auto;
}
