using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>What a server's handshakes use.</summary>
internal sealed record TlsServerSettings
{
    /// <summary>RFC 8446, section 5.5: at most 2^24.5 full records under one AES-GCM key.</summary>
    public const uint DefaultRecordsPerKey = 1 << 24;

    /// <summary>
    /// With its private key, RSA or ECDSA. May be disposed of afterwards. <see langword="null"/> if <see cref="Select"/> always chooses another context.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Sent behind the certificate, in this order.</summary>
    public X509Certificate2Collection? Intermediates { get; init; }

    /// <summary>In the order of preference. Empty: ALPN is ignored. A client that offers others only is refused (RFC 7301, section 3.2).</summary>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; } = [];

    /// <summary>TLS 1.2, 1.3 or both; <see cref="SslProtocols.None"/> is the system's default, but not below TLS 1.2.</summary>
    public SslProtocols Protocols { get; init; } = SslProtocols.None;

    /// <summary>
    /// Chooses the context whose certificate, versions, application protocols and client certificates are used, by the name that the client asks for;
    /// <see langword="null"/> chooses this one. Tickets and their keys stay those of this context, unless the other asks for client certificates. Called
    /// during <see cref="TlsEnd.Receive"/>, on its thread. An exception fails the handshake.
    /// </summary>
    public Func<string?, TlsServerContext?>? Select { get; init; }

    /// <summary>Asks clients for a certificate. Turns resumption off: it would pass the judgement by.</summary>
    public TlsClientCertificates? ClientCertificates { get; init; }

    /// <summary>Whether every connection keeps its SSL object.</summary>
    public bool KeepsSsl { get; init; }

    /// <summary>Whether secrets are taken from OpenSSL's log of them, as where <see cref="KeyProvider"/> cannot be used.</summary>
    public bool LogsSecrets { get; init; } = !KeyProvider.IsUsed;

    /// <summary>
    /// Session tickets per full TLS 1.3 handshake; 0 turns resumption off. A resumed one brings one in any case. A client that keeps as many connections as
    /// before has a ticket for each with one, and a ticket costs as much as a tenth of the handshake.
    /// </summary>
    public int Tickets { get; init; } = 1;

    /// <summary>What session tickets are protected with; <see langword="null"/> for keys that OpenSSL makes for this context alone.</summary>
    public TicketKeys? TicketKeys { get; init; }

    /// <summary>Own records: the number after which the write key is updated. At least 1.</summary>
    public uint RecordsPerKey { get; init; } = DefaultRecordsPerKey;
}
