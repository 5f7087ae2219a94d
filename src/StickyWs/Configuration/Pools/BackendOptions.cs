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
    /// Whether the backend gets new work. <see langword="false"/> is the same as <see cref="BackendMode.Stop"/>: it drains. Default <see
    /// langword="true"/>.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Whether the backend is in service or drains, and how. It is still probed while it drains. Default <see cref="BackendMode.On"/>. Of this and
    /// <see cref="Enabled"/>, the one that leaves it less counts. A change overrides what <c>IBackendControl</c> was told before.
    /// </summary>
    public BackendMode Mode { get; set; } = BackendMode.On;

    /// <summary>What <see cref="Mode"/> and <see cref="Enabled"/> say together.</summary>
    internal BackendMode EffectiveMode => Enabled || Mode > BackendMode.Stop ? Mode : BackendMode.Stop;

    /// <summary>How many tunnels the backend may hold at once; a full backend is skipped. Range 1 to 100,000,000; default: no limit.</summary>
    [NumberRange(1, 100_000_000)]
    public int? MaxTunnels { get; set; }

    /// <summary>
    /// How many WebSocket handshakes the backend takes at a time, from the choice of the backend to its verified answer; of TLS that is passed through,
    /// to the first byte of its answer. Further ones wait in the pool's <see cref="PoolOptions.Queue"/>. Range 1 to 1,000,000; default: no limit.
    /// </summary>
    [NumberRange(1, 1_000_000)]
    public int? MaxHandshakes { get; set; }

    /// <summary>
    /// How many WebSocket handshakes per second the backend gets; a tenth of a second's may come at once. Further ones wait in the pool's <see
    /// cref="PoolOptions.Queue"/>. Range 0.1 to 1,000,000; default: no limit.
    /// </summary>
    [NumberRange(0.1, 1_000_000)]
    public double? HandshakeRate { get; set; }

    /// <summary>
    /// How many plain HTTP requests the backend takes at a time, each until its response was passed on: event streams and long polls count for as long
    /// as they last. Further ones wait in the pool's <see cref="PoolOptions.Queue"/>. Range 1 to 1,000,000; default: no limit.
    /// </summary>
    [NumberRange(1, 1_000_000)]
    public int? MaxRequests { get; set; }
}
