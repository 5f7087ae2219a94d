using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>
/// Gives an SSL_CTX a certificate of .NET's by its handles. Nothing is exported, so that a key which cannot be (PKCS#11, TPM) works as well.
/// </summary>
[SupportedOSPlatform("linux")]
internal static unsafe class Credentials
{
    /// <exception cref="CryptographicException">There is no private key, of a kind that OpenSSL has; or OpenSSL refuses.</exception>
    public static void Apply(nint context, X509Certificate2 certificate, X509Certificate2Collection? intermediates)
    {
        using var key = PrivateKey(certificate);
        var isTaken = OpenSsl.SSL_CTX_use_certificate(context, certificate.Handle) == 1
            && OpenSsl.SSL_CTX_use_PrivateKey(context, key.DangerousGetHandle()) == 1 && OpenSsl.SSL_CTX_check_private_key(context) == 1;
        GC.KeepAlive(certificate);
        if (!isTaken) throw new CryptographicException($"The certificate {certificate.Subject}: {OpenSsl.TakeErrors()}");
        foreach (var intermediate in intermediates ?? []) Add(context, intermediate);
    }

    private static void Add(nint context, X509Certificate2 intermediate)
    {
        const nint addReference = 1; // SSL_CTX_add1_chain_cert(3)
        var isTaken = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_CHAIN_CERT, addReference, (void*)intermediate.Handle) == 1;
        GC.KeepAlive(intermediate);
        if (!isTaken) throw new CryptographicException($"The intermediate certificate {intermediate.Subject}: {OpenSsl.TakeErrors()}");
    }

    private static SafeEvpPKeyHandle PrivateKey(X509Certificate2 certificate)
    {
        if (!certificate.HasPrivateKey) throw new CryptographicException($"The certificate {certificate.Subject} has no private key.");
        using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey() ?? certificate.GetECDsaPrivateKey();
        return key switch
        {
            RSAOpenSsl rsa => rsa.DuplicateKeyHandle(),
            ECDsaOpenSsl ecdsa => ecdsa.DuplicateKeyHandle(),
            _ => throw new CryptographicException(
                $"The private key of {certificate.Subject} is {key?.GetType().Name ?? "neither RSA nor ECDSA"}: OpenSSL has no handle of it."),
        };
    }
}
