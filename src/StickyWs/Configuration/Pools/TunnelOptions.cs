namespace StickyWs.Configuration;

/// <summary>
/// How a pool's tunnels end. A change applies to tunnels opened afterwards, that of <see cref="MaxAge"/> to all at once.
/// </summary>
public sealed class TunnelOptions
{
    /// <summary>
    /// How long a tunnel may be idle in both directions; WebSocket pings count as traffic. Range 100 ms to 7 days; default <see langword="null"/>: no
    /// limit.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? IdleTimeout { get; set; }

    /// <summary>
    /// How long nothing may come from the client, whatever its backend sends. Then both sides are told to go, with the Close frame of <see
    /// cref="CloseCode"/>. While the client is not read from, because its backend takes no more, the time does not pass; after its FIN <see
    /// cref="HalfClosedTimeout"/> counts. Range 100 ms to 7 days; default <see langword="null"/>: no limit.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? ClientIdleTimeout { get; set; }

    /// <summary>
    /// The same of the backend. Range 100 ms to 7 days; default <see langword="null"/>: no limit.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? BackendIdleTimeout { get; set; }

    /// <summary>
    /// The idle time-out of a half-closed tunnel: one side has sent its FIN, the other has not. A peer that never closes must not hold the tunnel.
    /// Range 100 ms to 7 days; default 1 min.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? HalfClosedTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a tunnel may be open, by up to a tenth less for each, so that those that opened together do not end together. Then both sides are told
    /// to go, with the Close frame of <see cref="DrainOptions.CloseCode"/>. Those that a change makes too old are told over 30 s, or
    /// <see cref="DrainOptions.Over"/> if that is longer. Range 1 s to 30 days; default <see langword="null"/>: no limit.
    /// </summary>
    [TimeRange("00:00:01", "30.00:00:00")]
    public TimeSpan? MaxAge { get; set; }

    /// <summary>
    /// How long a peer may leave sent data unacknowledged before it is considered dead (<c>TCP_USER_TIMEOUT</c> on Linux). While nothing is sent, the
    /// kernel sends TCP keep-alive probes, the first after half of this time; no WebSocket traffic is needed. On Linux this also ends the connection
    /// of a live peer that reads nothing for that long. Range 2 s to 1 day; default 2 min; <see langword="null"/> for the system's defaults.
    /// </summary>
    [TimeRange("00:00:02", "1.00:00:00")]
    public TimeSpan? DeadPeerTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Whether the headers of WebSocket frames are followed as they pass (RFC 6455 section 5.2); messages are never read. Without it no Close frame can
    /// be put between two frames, so a tunnel that the balancer ends is closed without a word, and its farewell is unknown. Default
    /// <see langword="true"/>.
    /// </summary>
    public bool FollowFrames { get; set; } = true;

    /// <summary>
    /// The status code of the Close frame (RFC 6455 section 7.4) of a tunnel in which one side was silent for too long (<see cref="ClientIdleTimeout"/>,
    /// <see cref="BackendIdleTimeout"/>, <see cref="Ping"/>): 1000 to 1003, 1007 to 1014, or 3000 to 4999. Range 1,000 to 4,999; default 1001 (Going Away).
    /// </summary>
    [NumberRange(1000, 4999)]
    public int CloseCode { get; set; } = 1001;

    /// <summary>The text of that Close frame: at most 123 bytes of UTF-8. Default <c>silent for too long</c>.</summary>
    public string CloseReason { get; set; } = "silent for too long";

    /// <summary>Pings of the balancer's own. Off by default.</summary>
    public PingOptions Ping { get; } = new();
}
