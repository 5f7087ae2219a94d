using System.ComponentModel;
using System.Diagnostics;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyWs.Tls;

namespace StickyWs.Tests.Tls;

/// <summary>Servers with keys of every kind that .NET has: RSA and ECDSA, of the curves and signatures that certificates come with.</summary>
public sealed class KeyKindTests : TlsTest
{
    public static TheoryData<string, SslProtocols> Kinds()
        => new MatrixTheoryData<string, SslProtocols>(["RSA", "RSA signed with PSS", "P-256", "P-384", "P-521"], [SslProtocols.Tls12, SslProtocols.Tls13]);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Key_OfAKindThatDotNetHas_Serves(string kind, SslProtocols protocol)
    {
        using var certificate = Create(kind);

        var connected = Connect(new TlsServerSettings { Certificate = certificate, Protocols = protocol });

        Assert.Equal(certificate.RawData, connected.Client.RemoteCertificate!.GetRawCertData());
        Assert.Equal(Bytes(1000), connected.ToServer(Bytes(1000)));
        Assert.Equal(Bytes(1000), connected.ToClient(Bytes(1000)));
    }

    // .NET 10 loads no such key from a file, so that Kestrel cannot be given one, either.
    [Theory]
    [InlineData("ed25519", "")]
    [InlineData("ed448", "")]
    [InlineData("rsa-pss", "-pkeyopt rsa_keygen_bits:2048")]
    public void Key_OfAKindThatDotNetLacks_IsRefused(string algorithm, string options)
    {
        var folder = Directory.CreateTempSubdirectory("stickyws-");
        try
        {
            var (certificate, key) = (Path.Combine(folder.FullName, "tls.crt"), Path.Combine(folder.FullName, "tls.key"));
            if (!TryMake(algorithm, options, certificate, key)) Assert.Skip("There is no openssl that makes such a key.");

            Assert.ThrowsAny<CryptographicException>(() =>
            {
                using var loaded = X509Certificate2.CreateFromPemFile(certificate, key);
                Context(new TlsServerSettings { Certificate = loaded });
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static X509Certificate2 Create(string kind)
    {
        using var ecdsa = kind.StartsWith('P') ? ECDsa.Create(ECCurve.CreateFromFriendlyName("nist" + kind.Replace("-", "", StringComparison.Ordinal))) : null;
        using var rsa = ecdsa is null ? RSA.Create(2048) : null;
        var request = ecdsa is not null
            ? new CertificateRequest("CN=kind.test", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest("CN=kind.test", rsa!, HashAlgorithmName.SHA256, kind == "RSA" ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    private static bool TryMake(string algorithm, string options, string certificate, string key)
    {
        var arguments = $"req -x509 -newkey {algorithm} {options} -nodes -subj /CN=kind.test -days 30 -out {certificate} -keyout {key}";
        try
        {
            using var made = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardError = true })!;
            made.StandardError.ReadToEnd();
            made.WaitForExit();
            return made.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
