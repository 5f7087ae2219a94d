using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>What a handshake agreed on.</summary>
/// <param name="Protocol">TLS 1.2 or 1.3.</param>
/// <param name="Suite">The cipher suite.</param>
/// <param name="ApplicationProtocol">By ALPN; default if none.</param>
/// <param name="ServerName">The name that the client asked for (SNI).</param>
/// <param name="IsResumed">Whether a session ticket shortened it.</param>
internal sealed record TlsFacts(
    SslProtocols Protocol, TlsCipherSuite Suite, SslApplicationProtocol ApplicationProtocol, string? ServerName, bool IsResumed)
{
    /// <summary>The protocol as metrics name it: <c>1.2</c> or <c>1.3</c>.</summary>
    public string Version => Protocol == SslProtocols.Tls13 ? "1.3" : "1.2";

    /// <summary>For a client: what the server sent, in DER, its own certificate first.</summary>
    public IReadOnlyList<byte[]>? PeerCertificates { get; init; }

    /// <summary>The client's certificate, if it was asked for, was sent, and was accepted.</summary>
    public X509Certificate2? ClientCertificate { get; init; }
}
