using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Examples.Observed;

/// <summary>A certificate of this process's own, for localhost: nobody trusts it, and no file is needed.</summary>
internal static class OwnCertificate
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    public static X509Certificate2 Instance { get; } = Create();

    private static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddMinutes(-5), now + Lifetime);
    }
}
