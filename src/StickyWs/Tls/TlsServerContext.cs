using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>A certificate and what else handshakes of a server share.</summary>
internal sealed unsafe class TlsServerContext : TlsContext
{
    private const string SubjectAlternativeName = "2.5.29.17"; // RFC 5280, section 4.2.1.6.

    private readonly SslProtocols _protocols;

    private TlsServerContext(ContextHandle handle, TlsServerSettings settings, SecretSlab slab)
        : base(handle, settings.KeepsSsl, settings.RecordsPerKey, slab)
    {
        Select = settings.Select;
        Clients = settings.ClientCertificates;
        _protocols = settings.Protocols;
        ApplicationProtocols = [.. settings.ApplicationProtocols.Select(protocol => protocol.Protocol.ToArray())];
        TicketKeys = settings.TicketKeys;
    }

    /// <inheritdoc cref="TlsServerSettings.Select"/>
    public Func<string?, TlsServerContext?>? Select { get; }

    /// <inheritdoc cref="TlsServerSettings.ClientCertificates"/>
    public TlsClientCertificates? Clients { get; }

    public IReadOnlyList<byte[]> ApplicationProtocols { get; }

    /// <inheritdoc cref="TlsServerSettings.TicketKeys"/>
    public TicketKeys? TicketKeys { get; }

    /// <exception cref="TlsUnavailableException">There is no OpenSSL 3, or other versions than TLS 1.2 and 1.3 are wanted.</exception>
    /// <exception cref="CryptographicException">The certificate has no private key that OpenSSL can use, or OpenSSL refuses a setting.</exception>
    public static TlsServerContext Create(TlsServerSettings settings) => Create(settings, SecretSlab.Shared);

    /// <inheritdoc cref="Create(TlsServerSettings)"/>
    public static TlsServerContext Create(TlsServerSettings settings, SecretSlab slab)
        => new(Make(isClient: false, settings is { KeepsSsl: false, LogsSecrets: false }, context => Configure(context, settings)), settings, slab);

    /// <summary>Makes an SSL object use this context's certificate, versions and callbacks. Before a version was chosen.</summary>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    public void MoveHere(nint ssl) => Use(context =>
    {
        if (OpenSsl.SSL_set_SSL_CTX(ssl, context) == 0) throw new CryptographicException("SSL_set_SSL_CTX: " + OpenSsl.TakeErrors());
        OpenSsl.SSL_set_verify(ssl, VerifyMode(Clients), 0);
        CipherPolicy.Restrict(ssl, _protocols);
        if (Clients is null) return;
        // Nor may a session of another name be resumed under this one.
        _ = OpenSsl.SSL_set_options(ssl, OpenSsl.SSL_OP_NO_TICKET);
        _ = OpenSsl.SSL_set_num_tickets(ssl, 0);
    });

    protected override void TakeRole(nint ssl) => OpenSsl.SSL_set_accept_state(ssl);

    private static void Configure(nint context, TlsServerSettings settings)
    {
        if (!OperatingSystem.IsLinux()) throw new TlsUnavailableException("OpenSSL is used on Linux only");
        CipherPolicy.Apply(context, settings.Protocols);
        if (settings.Certificate is { } certificate) Credentials.Apply(context, certificate, settings.Intermediates);
        // A session that is resumed brings its certificate along unjudged; it may have expired or been revoked. So each handshake is a full one.
        ApplySessions(context, settings.ClientCertificates is null ? settings.Tickets : 0, settings.Certificate);
        if (settings.TicketKeys is not null) TicketCipher.Register(context);
        HandshakeCallbacks.Register(context, settings);
        OpenSsl.SSL_CTX_set_verify(context, VerifyMode(settings.ClientCertificates), 0);
    }

    private static int VerifyMode(TlsClientCertificates? clients) => clients switch
    {
        null => OpenSsl.SSL_VERIFY_NONE,
        { AreRequired: true } => OpenSsl.SSL_VERIFY_PEER | OpenSsl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        _ => OpenSsl.SSL_VERIFY_PEER,
    };

    // Tickets hold all that a resumption needs. No early data: none is allowed by default.
    private static void ApplySessions(nint context, int tickets, X509Certificate2? certificate)
    {
        if (tickets == 0) _ = OpenSsl.SSL_CTX_set_options(context, OpenSsl.SSL_OP_NO_TICKET);
        var id = SessionId(certificate);
        fixed (byte* start = id)
        {
            if (OpenSsl.SSL_CTX_set_num_tickets(context, (nuint)tickets) == 1
                && OpenSsl.SSL_CTX_set_session_id_context(context, start, (uint)id.Length) == 1)
            {
                return;
            }
        }

        throw new CryptographicException("Session tickets: " + OpenSsl.TakeErrors());
    }

    // All endpoints, names and instances take each other's tickets, but only where they have a certificate for the same names. Otherwise whoever can lead a
    // client astray could have it resume where it would have refused the certificate. OpenSSL takes the id of the context that the name selected.
    private static byte[] SessionId(X509Certificate2? certificate)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("StickyWs"u8);
        if (certificate is null) return hash.GetHashAndReset();
        hash.AppendData(certificate.SubjectName.RawData); // DER says its own length.
        if (certificate.Extensions[SubjectAlternativeName] is { } names) hash.AppendData(names.RawData);
        return hash.GetHashAndReset();
    }
}
