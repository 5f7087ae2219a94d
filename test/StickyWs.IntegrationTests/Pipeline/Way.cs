namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>The ways in which a request or a handshake reaches a pool.</summary>
public enum Way
{
    /// <summary>A plain request over HTTP/1.1.</summary>
    Http1,

    /// <summary>The same inside TLS.</summary>
    Tls,

    /// <summary>A plain request over HTTP/2.</summary>
    Http2,

    /// <summary>The same inside TLS.</summary>
    Http2Tls,

    /// <summary>A handshake as the first request of a plain connection: no middleware sees it.</summary>
    Sniffed,

    /// <summary>A handshake behind a request on the same connection: through the pipeline.</summary>
    KeptAlive,

    /// <summary>A handshake inside TLS: through the pipeline.</summary>
    TlsHandshake,

    /// <summary>Extended CONNECT over HTTP/2.</summary>
    Connect,
}
