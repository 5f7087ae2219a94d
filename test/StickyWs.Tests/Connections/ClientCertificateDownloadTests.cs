using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyWs.Connections;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Tests.Connections;

/// <summary>
/// A client's certificate may name where its issuer's can be had (AIA, RFC 5280, section 4.2.2.1). Whether the server asks there is decided as by the
/// runtime's SslStream, which Kestrel uses: .NET 10 does by default, .NET 11 does not.
/// </summary>
public sealed class ClientCertificateDownloadTests : IAsyncDisposable
{
    private readonly TcpListener _library = new(IPAddress.Loopback, 0);
    private readonly Task _serving;
    private int _asked;

    public ClientCertificateDownloadTests()
    {
        _library.Start();
        _serving = ServeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _library.Stop();
        await _serving;
    }

    [Fact]
    public async Task MissingIssuer_IsAskedForAsByTheRuntime()
    {
        using var certificate = Issue($"http://127.0.0.1:{((IPEndPoint)_library.LocalEndpoint).Port}/issuer.crt");
        var check = ClientCertificateCheck.Of(new HttpsConnectionAdapterOptions { ClientCertificateMode = ClientCertificateMode.RequireCertificate })!;

        Assert.Equal(ClientCertificateVerdict.UnknownAuthority, check.Judge(certificate, []));
        var ours = Interlocked.Exchange(ref _asked, 0);
        Assert.True(await IsRefusedByTheRuntimeAsync(certificate));

        Assert.Equal(_asked > 0, ours > 0);
    }

    private static async Task<bool> IsRefusedByTheRuntimeAsync(X509Certificate2 certificate)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Wait.Token());
        using var server = await accepting;
        await using var serving = new SslStream(server.GetStream());
        await using var asking = new SslStream(client.GetStream());
        var handshake = asking.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ClientCertificates = [certificate],
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            },
            Wait.Token());
        try
        {
            await serving.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = TestCertificate.Server, ClientCertificateRequired = true }, Wait.Token());
            return false;
        }
        catch (AuthenticationException)
        {
            return true;
        }
        finally
        {
            client.Close();
            await handshake.ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _library.AcceptTcpClientAsync();
                Interlocked.Increment(ref _asked);
                var stream = connection.GetStream();
                _ = await stream.ReadAtLeastAsync(new byte[4096], 1);
                await stream.WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test is over.
        }
    }

    // By an authority that nobody has.
    private static X509Certificate2 Issue(string issuerAt)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new X500DistinguishedName("CN=nobody has it");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(ocspUris: null, [issuerAt]));
        var generator = X509SignatureGenerator.CreateForECDsa(authorityKey);
        using var issued = request.Create(authority, generator, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3, 4]);
        return issued.CopyWithPrivateKey(key);
    }
}
