using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace StickyWs.Tls;

/// <summary>The certificates of a server, as a client sees them.</summary>
internal static unsafe class PeerCertificates
{
    /// <summary>What the peer of an SSL object sent, in DER and in its order: its own certificate first.</summary>
    public static IReadOnlyList<byte[]> Of(nint ssl)
    {
        var chain = OpenSsl.SSL_get_peer_cert_chain(ssl);
        if (chain == 0) return [];
        var certificates = new byte[OpenSsl.OPENSSL_sk_num(chain)][];
        for (var i = 0; i < certificates.Length; i++) certificates[i] = ToDer(OpenSsl.OPENSSL_sk_value(chain, i));
        return certificates;
    }

    /// <summary>
    /// Whether a certificate is for this name or address, by the rules and the calls of the runtime's SslStream: a wildcard is a whole label, and the
    /// common name counts if there is no name of the right kind beside it.
    /// </summary>
    /// <exception cref="CryptographicException">libcrypto cannot tell.</exception>
    public static bool IsFor(X509Certificate2 certificate, string host)
    {
        // OpenSSL takes a leading dot for any subdomain.
        if (host.Length == 0 || host[0] == '.') return false;
        if (IPAddress.TryParse(host, out _)) return certificate.MatchesHostname(host);
        var name = Encoding.ASCII.GetBytes(host);
        OpenSsl.ERR_clear_error();
        fixed (byte* start = name)
        {
            var result = OpenSsl.X509_check_host(certificate.Handle, start, (nuint)name.Length, OpenSsl.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, null);
            GC.KeepAlive(certificate);
            if (result < 0) throw new CryptographicException(string.Create(CultureInfo.InvariantCulture, $"X509_check_host: {result} {OpenSsl.TakeErrors()}"));
            return result == 1;
        }
    }

    private static byte[] ToDer(nint x509)
    {
        OpenSsl.ERR_clear_error();
        var length = OpenSsl.i2d_X509(x509, null);
        if (length <= 0) throw new CryptographicException("i2d_X509: " + OpenSsl.TakeErrors());
        var der = new byte[length];
        fixed (byte* start = der)
        {
            var end = start;
            _ = OpenSsl.i2d_X509(x509, &end);
        }

        return der;
    }
}
