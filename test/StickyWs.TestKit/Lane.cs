namespace StickyWs.TestKit;

/// <summary>The ways by which a handshake reaches the forwarder.</summary>
public enum Lane
{
    /// <summary>
    /// The first request of a plain connection, on the raw transport: sniffed on the bare socket, relayed by a reactor on the best that the kernel offers, and
    /// so to backends with TLS. On Linux only; elsewhere as <see cref="Portable"/>.
    /// </summary>
    Raw,

    /// <summary>The same by a reactor on epoll, and with OpenSSL's records to backends with TLS.</summary>
    RawEpoll,

    /// <summary>
    /// As <see cref="Raw"/>, with the application's code on the threads of the reactors; tunnels to backends with TLS use the portable lane.
    /// </summary>
    RawInline,

    /// <summary>The same request with the raw transport switched off: sniffed and relayed through the connection's pipe.</summary>
    Portable,

    /// <summary>Behind an HTTP request on the same plain connection: through the HTTP pipeline.</summary>
    KeptAlive,

    /// <summary>On an https listener: through the HTTP pipeline.</summary>
    InsideTls,

    /// <summary>On an https listener that sniffs inside TLS.</summary>
    SniffedInsideTls,

    /// <summary>
    /// On an https listener whose TLS ends in the raw lane: sniffed inside TLS, relayed by a reactor on the best that the kernel offers. On Linux only;
    /// elsewhere as <see cref="SniffedInsideTls"/>.
    /// </summary>
    RawTls,

    /// <summary>The same by a reactor on epoll.</summary>
    RawTlsEpoll,

    /// <summary>As <see cref="RawTls"/>, with the records of OpenSSL instead of the balancer's own.</summary>
    RawTlsKept,
}
