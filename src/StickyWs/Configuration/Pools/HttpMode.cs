namespace StickyWs.Configuration;

/// <summary>How a pool's plain HTTP requests are handled.</summary>
public enum HttpMode
{
    /// <summary>Every request passes the application's middleware, and is forwarded by <c>UseStickyWebSocketBalancing</c>.</summary>
    Pipeline,

    /// <summary>
    /// Ordinary HTTP/1.1 requests are forwarded by the connection's own thread: the cheapest mode. No middleware and no endpoint of the application sees
    /// them. Everything else, such as HTTP/2 or a request that is not flawless, passes the pipeline as before. Needs the raw lane.
    /// </summary>
    Direct,
}
