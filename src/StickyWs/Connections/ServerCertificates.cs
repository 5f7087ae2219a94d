using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Connections;

/// <summary>Kestrel's rule for a certificate that the application selects.</summary>
internal static class ServerCertificates
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>Refuses a certificate whose extended key usage (RFC 5280, section 4.2.1.12) does not allow it to authenticate a server.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public static X509Certificate2 Allowed(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray();
        var isAllowed = usages.Length == 0 || usages.Any(usage => usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>()
            .Any(purpose => purpose.Value == ServerAuthentication));
        return isAllowed
            ? certificate
            : throw new InvalidOperationException($"The certificate {certificate.Thumbprint} is not for servers: its extended key usage says so.");
    }
}
