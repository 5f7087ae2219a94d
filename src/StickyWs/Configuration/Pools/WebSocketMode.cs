namespace StickyWs.Configuration;

/// <summary>How a pool's WebSocket handshakes are handled.</summary>
public enum WebSocketMode
{
    /// <summary>
    /// A handshake that comes first on its connection, or behind requests of the direct lane (<see cref="HttpMode.Direct"/>), is sniffed and never enters
    /// the HTTP pipeline: the cheapest mode. No middleware of the application sees it.
    /// </summary>
    Sniffed,

    /// <summary>
    /// Every handshake passes the application's middleware first, so that its authentication, rate limits and policies apply. The tunnel uses the
    /// portable lane.
    /// </summary>
    Pipeline,
}
