using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyWs.Configuration;

namespace StickyWs.Backends;

/// <summary>The TLS settings for connections to backends, shared by probes, plain requests and tunnels.</summary>
internal static class BackendTls
{
    // Options are immutable once in effect, so the file is read once per load of the configuration.
    private static readonly ConditionalWeakTable<TlsOptions, X509Certificate2Collection> Authorities = [];

    public static bool IsUsedBy(Uri address) => address.Scheme == Uri.UriSchemeHttps;

    /// <summary>The name or address that a backend's certificate must be for, and that is asked for by SNI unless it is an address.</summary>
    public static string HostOf(TlsOptions tls, Uri address) => tls.ServerName ?? address.IdnHost;

    /// <summary>New options for a connection to <paramref name="address"/>. The verified name is the backend's, never one that a client chose.</summary>
    /// <param name="tls">The pool's options.</param>
    /// <param name="address">The backend's address.</param>
    /// <param name="protocols">The ALPN protocols to offer, in order of preference; none for no ALPN.</param>
    /// <exception cref="CryptographicException">The CA file cannot be read as PEM certificates.</exception>
    /// <exception cref="IOException">The CA file cannot be read.</exception>
    public static SslClientAuthenticationOptions For(TlsOptions tls, Uri address, params ReadOnlySpan<SslApplicationProtocol> protocols)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = HostOf(tls, address) };
        if (protocols.Length > 0) options.ApplicationProtocols = [.. protocols];
        if (tls.DangerousAcceptAnyCertificate)
        {
#pragma warning disable CA5359 // As the option says, and warns about.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (tls.CaCertificateFile is not null)
        {
            var authorities = Authorities.GetValue(tls, static tls => CertificateAuthorities.Read(tls.CaCertificateFile!));
            options.CertificateChainPolicy = CertificateAuthorities.Trust(authorities);
        }

        return options;
    }
}
