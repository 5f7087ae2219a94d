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
}
