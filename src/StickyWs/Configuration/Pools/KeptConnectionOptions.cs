namespace StickyWs.Configuration;

/// <summary>The connections to backends that are kept for the next plain requests. Tunnels and handshakes have connections of their own.</summary>
public sealed class KeptConnectionOptions
{
    /// <summary>
    /// How long a connection may be kept unused. It should be shorter than what the backend allows, or a request may meet a connection that is being closed.
    /// Range 100 ms to 1 day; default 1 min, as <c>SocketsHttpHandler.PooledConnectionIdleTimeout</c>.
    /// </summary>
    [TimeRange("00:00:00.1", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How old a connection may become; then it takes no new request, and a new one asks for the backend's addresses again
    /// (<c>SocketsHttpHandler.PooledConnectionLifetime</c>). Range 1 s to 7 days; default 10 min.
    /// </summary>
    [TimeRange("00:00:01", "7.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);
}
