namespace StickyWs.Configuration;

/// <summary>What ends a pool's tunnels when neither side does. Applied to tunnels that open from then on.</summary>
public sealed class TunnelOptions
{
    /// <summary>
    /// How long no byte may move in either direction; WebSocket pings are bytes. Range 100 ms to 7 days; <see langword="null"/>, the default, for no limit.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? IdleTimeout { get; set; }

    /// <summary>
    /// The same once one side has finished (FIN) and the other has not: a peer that never closes must not hold the tunnel. Range 100 ms to 7 days;
    /// default 1 min.
    /// </summary>
    [TimeRange("00:00:00.1", "7.00:00:00")]
    public TimeSpan? HalfClosedTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a peer may leave what it was sent unacknowledged before it is taken for gone (<c>TCP_USER_TIMEOUT</c> on Linux); while nothing is
    /// sent the kernel asks it, first after half the time (keep-alive). No WebSocket traffic, and none is needed. On Linux this also ends a peer that
    /// is alive and takes nothing for so long. Range 2 s to 1 day; default 2 min; <see langword="null"/> for the system's own patience.
    /// </summary>
    [TimeRange("00:00:02", "1.00:00:00")]
    public TimeSpan? DeadPeerTimeout { get; set; } = TimeSpan.FromMinutes(2);
}
