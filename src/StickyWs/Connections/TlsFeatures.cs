using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using StickyWs.Tls;

namespace StickyWs.Connections;

/// <summary>
/// What Kestrel and applications want to know of a connection's TLS. Kestrel's own https middleware does nothing on a connection that has the first of
/// these features.
/// </summary>
internal sealed class TlsFeatures(TlsFacts facts) : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature
{
    /// <summary>As <see cref="TlsFacts.Version"/>.</summary>
    public string Version => facts.Version;

    /// <summary>Whether HTTP/2 was agreed on.</summary>
    public bool IsHttp2 => facts.ApplicationProtocol == SslApplicationProtocol.Http2;

    public X509Certificate2? ClientCertificate { get; set; } = facts.ClientCertificate;

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    public SslProtocols Protocol => facts.Protocol;

    public TlsCipherSuite? NegotiatedCipherSuite => facts.Suite;

    public string HostName => facts.ServerName ?? "";

    public ReadOnlyMemory<byte> ApplicationProtocol => facts.ApplicationProtocol.Protocol;

#pragma warning disable SYSLIB0058 // Members of the interface that the framework has replaced by the cipher suite; for TLS 1.3 they say nothing.
    public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;

    public int CipherStrength => 0;

    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;

    public int HashStrength => 0;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058
}
