using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>TLS clients with a certificate of their own, and certificates for them.</summary>
internal static class TestClients
{
    public const string ForServers = "1.3.6.1.5.5.7.3.1";
    public const string ForClients = "1.3.6.1.5.5.7.3.2";

    public static X509Certificate2 Certificate(string name, string? purpose, int padding = 0)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (purpose is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        if (padding > 0) request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.55555.1", new byte[padding], critical: false));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    public static async Task<SslStream> OpenAsync(
        int port, string name, X509Certificate2? certificate = null, SslProtocols protocols = SslProtocols.None, params SslApplicationProtocol[] offered)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port, Wait.Token());
        var stream = new SslStream(socket.GetStream());
        try
        {
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = name,
                EnabledSslProtocols = protocols,
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
                ApplicationProtocols = offered.Length == 0 ? null : [.. offered],
                ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, null, offline: true),
            };
            await stream.AuthenticateAsClientAsync(options, Wait.Token());
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>The status line of an answer to <c>GET /app</c>.</summary>
    public static async Task<string> AskAsync(SslStream stream)
    {
        await stream.WriteAsync("GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n"u8.ToArray(), Wait.Token());
        using var reader = new StreamReader(stream, leaveOpen: true);
        return await reader.ReadLineAsync(Wait.Token()) ?? throw new IOException("The balancer has closed the connection.");
    }
}
