namespace StickyWs.Configuration;

/// <summary>The idle connections to backends that are kept for later plain requests. Tunnels and handshakes use connections of their own.</summary>
public sealed class KeptConnectionOptions
{
    /// <summary>
    /// How long a connection may stay idle. Set it lower than the backend's own idle time-out, or a request may meet a connection that is being
    /// closed. Range 100 ms to 1 day; default 1 min, as <c>SocketsHttpHandler.PooledConnectionIdleTimeout</c>.
    /// </summary>
    [TimeRange("00:00:00.1", "1.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The maximum age of a connection. An older one takes no new request; its replacement resolves the backend's name again
    /// (<c>SocketsHttpHandler.PooledConnectionLifetime</c>). Range 1 s to 7 days; default 10 min.
    /// </summary>
    [TimeRange("00:00:01", "7.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);
}
