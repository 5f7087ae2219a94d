using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>The certificate of all TLS servers of a comparison: ECDSA P-256, self-signed, with its key in one PEM file that goes with this object.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stickyws-peers-").FullName;

    public ServerCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=chat.example.com", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        System.IO.File.WriteAllText(File, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    public string File => Path.Combine(_folder, "certificate.pem");

    public static X509Certificate2 Load(string file) => X509Certificate2.CreateFromPemFile(file);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
