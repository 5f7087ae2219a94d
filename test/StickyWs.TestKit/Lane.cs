namespace StickyWs.TestKit;

/// <summary>The ways by which a handshake reaches the forwarder.</summary>
public enum Lane
{
    /// <summary>The first request of a plain connection: sniffed.</summary>
    RawConnection,

    /// <summary>Behind an HTTP request on the same plain connection: through the HTTP pipeline.</summary>
    KeptAlive,

    /// <summary>On an https listener: through the HTTP pipeline.</summary>
    InsideTls,

    /// <summary>On an https listener that sniffs inside TLS.</summary>
    SniffedInsideTls,
}
