namespace StickyWs.Configuration;

/// <summary>A pool: a named set of backends that share one policy and one health check.</summary>
public sealed class PoolOptions
{
    /// <summary>Which requests belong to the pool. Default: all.</summary>
    public MatchOptions Match { get; } = new();

    /// <summary>The backends by name; at least one. Names are case-insensitive.</summary>
    public IDictionary<string, BackendOptions> Backends { get; } = new Dictionary<string, BackendOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The name of the balancing policy: <c>RoundRobin</c>, <c>LeastConnections</c>, <c>PowerOfTwoChoices</c>, or the
    /// <see cref="Balancing.ILoadBalancingPolicy.Name"/> of a policy registered in DI. Default <c>RoundRobin</c>.
    /// </summary>
    public string Policy { get; set; } = "RoundRobin";

    /// <summary>How a client returns to its backend. Default: no affinity.</summary>
    public AffinityOptions Affinity { get; } = new();

    /// <summary>The time-outs of requests and handshakes.</summary>
    public TimeoutOptions Timeouts { get; } = new();

    /// <summary>How long idle connections to the pool's backends are kept for later plain requests.</summary>
    public KeptConnectionOptions Connections { get; } = new();

    /// <summary>The time-outs that end the pool's tunnels.</summary>
    public TunnelOptions Tunnels { get; } = new();

    /// <summary>How the pool's backends are drained.</summary>
    public DrainOptions Drain { get; } = new();

    /// <summary>What happens to the tunnels of a backend that is found to be down. Default <see cref="DownBackendBehavior.Keep"/>.</summary>
    public DownBackendBehavior OnDown { get; set; } = DownBackendBehavior.Keep;

    /// <summary>How tunnels are spread again over the pool's backends. Default: not at all.</summary>
    public RebalanceOptions Rebalance { get; } = new();

    /// <summary>When a backend is suspected because its tunnels die young.</summary>
    public OutlierOptions Outliers { get; } = new();

    /// <summary>How the pool's WebSocket handshakes are handled. Default <see cref="WebSocketMode.Sniffed"/>.</summary>
    public WebSocketMode WebSockets { get; set; } = WebSocketMode.Sniffed;

    /// <summary>
    /// Protocols other than <c>websocket</c> to which clients may upgrade a connection (RFC 9110 section 7.8), spelled as in <c>Upgrade</c>:
    /// <c>tcp</c>, <c>SPDY/3.1</c>, <c>tailscale-control-protocol</c>. Such a request passes the application's middleware and is tunnelled once a
    /// backend has accepted it; an upgrade to a protocol that is not listed gets 501. <c>websocket</c> and other forms of HTTP (<c>h2c</c>,
    /// <c>h2</c>, <c>HTTP</c>, <c>TLS</c>) are not allowed here. Default: none.
    /// </summary>
    public IList<string> Upgrades { get; } = [];

    /// <summary>What happens while no backend of the pool is healthy. Default <see cref="NoneHealthyBehavior.FailClosed"/>.</summary>
    public NoneHealthyBehavior WhenNoneHealthy { get; set; } = NoneHealthyBehavior.FailClosed;

    /// <summary>
    /// The <c>Retry-After</c> of a 503: at least this, and at most twice as much, by chance, so that clients that are refused together come back apart.
    /// Range 1 s to 1 h, sent in whole seconds; default 5 s.
    /// </summary>
    [TimeRange("00:00:01", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a backend that is new, or back, is spared: its share of new work grows from a tenth to all of its weight during this time. Clients with
    /// affinity go where their key leads all the same. Range 1 s to 1 h; default <see langword="null"/>: it gets its whole share at once.
    /// </summary>
    [TimeRange("00:00:01", "01:00:00")]
    public TimeSpan? SlowStart { get; set; }

    /// <summary>How handshakes and plain requests wait for a backend whose limits of work in progress are reached.</summary>
    public QueueOptions Queue { get; } = new();

    /// <summary>How the pool's backends are monitored. Default: no probes; failures of real traffic count.</summary>
    public HealthOptions Health { get; } = new();

    /// <summary>TLS of clients, and TLS to <c>https</c> backends.</summary>
    public TlsOptions Tls { get; } = new();

    /// <summary>
    /// Whether plain requests pass the application's middleware. Default <see cref="HttpMode.Pipeline"/>. With <see cref="HttpMode.Direct"/> no middleware
    /// and no endpoint of the application sees them.
    /// </summary>
    public HttpMode Http { get; set; } = HttpMode.Pipeline;

    /// <summary>The HTTP version used with the backends for plain requests. Default <see cref="BackendHttpVersion.Auto"/>.</summary>
    public BackendHttpVersion HttpVersion { get; set; } = BackendHttpVersion.Auto;

    /// <summary>Whether the pool's clients speak TLS with its backends, and no HTTP with anybody here.</summary>
    internal bool IsPassthrough => Tls.Mode == PoolTlsMode.Passthrough;
}
