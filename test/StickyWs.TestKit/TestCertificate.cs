using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.TestKit;

/// <summary>An authority of this test run, and a certificate that it signed for localhost, 127.0.0.1 and ::1.</summary>
public static class TestCertificate
{
    private static readonly Lazy<X509Certificate2> OfAuthority = new(CreateAuthority);
    private static readonly Lazy<X509Certificate2> OfServer = new(CreateServer);

    /// <summary>The server's certificate with its private key.</summary>
    public static X509Certificate2 Server => OfServer.Value;

    /// <summary>Writes the authority's certificate to a new PEM file, which the caller deletes.</summary>
    public static string WriteAuthorityFile()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, OfAuthority.Value.ExportCertificatePem());
        return path;
    }

    private static X509Certificate2 CreateAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=StickyWs test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false,
            pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>Signs a certificate. The caller disposes of it.</summary>
    /// <param name="subject">Its common name.</param>
    /// <param name="from">From how many days from now it is valid.</param>
    /// <param name="until">Until how many days from now.</param>
    /// <param name="names">The names and addresses that it is for.</param>
    public static X509Certificate2 Issue(string subject, int from, int until, params string[] names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) alternatives.AddIpAddress(address);
            else alternatives.AddDnsName(name);
        }

        return Create(subject, from, until, names.Length > 0 ? alternatives : null);
    }

    private static X509Certificate2 CreateServer()
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        return Create("localhost", -1, 20, names);
    }

    private static X509Certificate2 Create(string subject, int from, int until, SubjectAlternativeNameBuilder? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + subject, key, HashAlgorithmName.SHA256);
        if (names is not null) request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false,
            pathLengthConstraint: 0, critical: true));
        using var bare = request.Create(OfAuthority.Value, DateTimeOffset.UtcNow.AddDays(from), DateTimeOffset.UtcNow.AddDays(until),
            RandomNumberGenerator.GetBytes(8));
        using var paired = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(paired.Export(X509ContentType.Pkcs12), null);
    }
}
