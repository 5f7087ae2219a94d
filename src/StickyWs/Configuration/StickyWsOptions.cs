namespace StickyWs.Configuration;

/// <summary>The user's settings, from the configuration section <c>StickyWs</c>, from code, or from both.</summary>
public sealed class StickyWsOptions
{
    /// <summary>The name of the configuration section bound by default: <c>StickyWs</c>.</summary>
    public const string SectionName = "StickyWs";

    /// <summary>
    /// The pools by name. A request belongs to the pool whose <see cref="PoolOptions.Match"/> is most specific: host before path, longest prefix
    /// first. A request that matches no pool is left to the application. Names are case-insensitive. Default: none.
    /// </summary>
    public IDictionary<string, PoolOptions> Pools { get; } = new Dictionary<string, PoolOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// How long a client may take to send its first request head, counted from the accept. A client that has sent part of it gets 408; one that has
    /// sent nothing is disconnected. Range 100 ms to 10 min; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.1", "00:10:00")]
    public TimeSpan HeadDeadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many bytes of a request head the sniffer examines before it leaves the connection to Kestrel, and how many bytes of a handshake response
    /// are accepted from a backend. Range 1,024 to 1,048,576 bytes; default 32,768 (Kestrel's own header limit).
    /// </summary>
    [NumberRange(1024, 1024 * 1024)]
    public int MaxHeadBytes { get; set; } = 32 * 1024;

    /// <summary>
    /// How many tunnels may be open at once in the whole process; further ones get 503 with <c>Retry-After</c>. Range 1 to 100,000,000; default: no
    /// limit.
    /// </summary>
    [NumberRange(1, 100_000_000)]
    public int? MaxTunnels { get; set; }

    /// <summary>
    /// Addresses or networks (CIDR, such as <c>10.0.0.0/8</c> or <c>fd00::/8</c>) of proxies whose <c>X-Forwarded-*</c> and <c>Forwarded</c> headers
    /// are kept and appended to. From any other peer they are replaced. Default: none.
    /// </summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>The raw Linux transport.</summary>
    public TransportOptions Transport { get; } = new();

    /// <summary>TLS of clients, where it ends in the raw lane.</summary>
    public ClientTlsOptions Tls { get; } = new();

    /// <summary>Where pins are stored.</summary>
    public PinOptions Pins { get; } = new();

    /// <summary>The line per tunnel and per request.</summary>
    public AccessLogOptions AccessLog { get; } = new();

    /// <summary>The end of the process.</summary>
    public ShutdownOptions Shutdown { get; } = new();

    /// <summary>Whether the section has a part for the package StickyWs.Redis, which reads it itself.</summary>
    internal bool HasRedisSection { get; set; }

    /// <summary>Whether the section mentions pools, even if empty: an empty part is taken as intended.</summary>
    internal bool NamesPools { get; set; }

    /// <summary>What could not be read from the configuration; the validator reports it together with all other errors.</summary>
    internal List<string> ReadErrors { get; } = [];
}
