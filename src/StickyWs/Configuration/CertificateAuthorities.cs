using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Configuration;

/// <summary>A file of certificates that are trusted in place of the system's: PEM, one after the other.</summary>
internal static class CertificateAuthorities
{
    /// <summary>What to do about a file that is not one.</summary>
    public const string Remedy = "use the path of a PEM file that exists and holds certificates";

    /// <exception cref="CryptographicException">It holds no PEM certificates.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static X509Certificate2Collection Read(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"No PEM certificate in '{file}'.");
    }

    public static bool CanRead(string file)
    {
        try
        {
            Read(file);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Trusts these and no others. Revocation is not checked, as without a custom policy: a private CA rarely offers it.</summary>
    public static X509ChainPolicy Trust(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}
