using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Reload;

/// <summary>Tests with endpoints of the configuration, section <c>Kestrel</c>, that change while the balancer runs. On Linux only.</summary>
public abstract class ReloadTest : BalancerTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stickyws-").FullName;

    protected string FileOf(string name) => Path.Combine(_folder, name);

    /// <summary>A balancer whose endpoints are those of the settings, and whose pool is on <c>/chat</c>.</summary>
    protected Balancer StartConfigured(LiveSettings settings, string tls = "Auto", Action<IWebHostBuilder>? configure = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        settings.With("Pools:chat:Match:PathPrefixes:0", "/chat").With("Transport:Tls", tls);
        return Owned(Balancer.Start(settings, kestrel: null, configure));
    }

    protected static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>A new certificate and its key, as PEM.</summary>
    protected static (string Certificate, string Key) CreatePem(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Writes a new certificate over a file, in one step as tools do it.</summary>
    protected static void WriteCertificate(string path, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllBytes(path + ".new", certificate.Export(X509ContentType.Pkcs12));
        File.Move(path + ".new", path, overwrite: true);
    }
}
