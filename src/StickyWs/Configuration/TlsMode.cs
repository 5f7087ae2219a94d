namespace StickyWs.Configuration;

/// <summary>Where the TLS of https endpoints, and of tunnels to https backends, ends.</summary>
public enum TlsMode
{
    /// <summary>
    /// In the raw lane, where it is on and OpenSSL 3 is there: OpenSSL does the handshake, and after one of TLS 1.3 the balancer's own record layer goes
    /// on. Otherwise as <see cref="SslStream"/>; the log says why.
    /// </summary>
    Auto,

    /// <summary>As <see cref="Auto"/>, but OpenSSL goes on with the records, too. An idle connection then costs about 15 KB.</summary>
    OpenSsl,

    /// <summary>In Kestrel's own middleware: WebSockets inside TLS use the portable lane.</summary>
    SslStream,
}
