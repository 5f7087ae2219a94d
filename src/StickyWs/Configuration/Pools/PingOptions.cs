namespace StickyWs.Configuration;

/// <summary>
/// Pings of the balancer's own to quiet peers (RFC 6455 section 5.5.2). Their pongs are taken out of the stream; pings and pongs of the application pass.
/// Needs <see cref="TunnelOptions.FollowFrames"/>. A change applies to tunnels opened afterwards.
/// </summary>
public sealed class PingOptions
{
    /// <summary>
    /// How long a peer may be quiet before it is asked whether it is still there. Range 100 ms to 1 day; default <see langword="null"/>: it is never asked.
    /// </summary>
    [TimeRange("00:00:00.1", "1.00:00:00")]
    public TimeSpan? Interval { get; set; }

    /// <summary>
    /// How long a peer that was asked may go without sending anything, be it the pong or any other byte, and without taking what it was sent. Then its
    /// connection is reset, and the other side gets a Close frame. Range 100 ms to 10 min; default 10 s.
    /// </summary>
    [TimeRange("00:00:00.1", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Who is asked. Default <see cref="PingPeers.Client"/>.</summary>
    public PingPeers Peers { get; set; } = PingPeers.Client;
}
