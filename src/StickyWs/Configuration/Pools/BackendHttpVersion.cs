namespace StickyWs.Configuration;

/// <summary>The HTTP version used with a backend for plain requests. WebSocket handshakes always use HTTP/1.1.</summary>
public enum BackendHttpVersion
{
    /// <summary>HTTP/2 where TLS negotiates it, HTTP/1.1 otherwise; gRPC to an <c>http</c> backend uses HTTP/2 with prior knowledge.</summary>
    Auto,

    /// <summary>HTTP/1.1 only.</summary>
    Http1,

    /// <summary>HTTP/2 only, with prior knowledge on <c>http</c> backends (RFC 9113 section 3.3).</summary>
    Http2,
}
