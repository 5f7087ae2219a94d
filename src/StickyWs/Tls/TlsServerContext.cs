using System.Security.Authentication;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// A certificate and what else handshakes of a server share: an SSL_CTX. May be replaced and disposed of at any time: handshakes that began with it
/// end with it. Safe for concurrent use.
/// </summary>
internal sealed unsafe class TlsServerContext : IDisposable
{
    private readonly ContextHandle _handle;
    private readonly SslProtocols _protocols;

    private TlsServerContext(ContextHandle handle, TlsServerSettings settings, SecretSlab slab)
    {
        _handle = handle;
        Select = settings.Select;
        Clients = settings.ClientCertificates;
        _protocols = settings.Protocols;
        ApplicationProtocols = [.. settings.ApplicationProtocols.Select(protocol => protocol.Protocol.ToArray())];
        HasOwnRecords = !settings.KeepsSsl;
        RecordsPerKey = Math.Max(1, settings.RecordsPerKey);
        Slab = slab;
    }

    /// <inheritdoc cref="TlsServerSettings.Select"/>
    public Func<string?, TlsServerContext?>? Select { get; }

    /// <inheritdoc cref="TlsServerSettings.ClientCertificates"/>
    public TlsClientCertificates? Clients { get; }

    public IReadOnlyList<byte[]> ApplicationProtocols { get; }

    /// <summary>Whether connections may go on without their SSL object.</summary>
    public bool HasOwnRecords { get; }

    public uint RecordsPerKey { get; }

    /// <summary>Where its connections' secrets live.</summary>
    public SecretSlab Slab { get; }

    /// <exception cref="TlsUnavailableException">There is no OpenSSL 3, or other versions than TLS 1.2 and 1.3 are wanted.</exception>
    /// <exception cref="CryptographicException">The certificate has no private key that OpenSSL can use, or OpenSSL refuses a setting.</exception>
    public static TlsServerContext Create(TlsServerSettings settings) => Create(settings, SecretSlab.Shared);

    /// <inheritdoc cref="Create(TlsServerSettings)"/>
    public static TlsServerContext Create(TlsServerSettings settings, SecretSlab slab)
    {
        // A session that is resumed brings its certificate along unjudged; it may have expired or been revoked. So each handshake is a full one.
        if (settings.ClientCertificates is not null) settings = settings with { Tickets = 0 };
        if (TlsLibrary.Refusal is { } refusal) throw new TlsUnavailableException(refusal);
        if (!OperatingSystem.IsLinux()) throw new TlsUnavailableException("OpenSSL is used on Linux only");
        OpenSsl.ERR_clear_error();
        var context = OpenSsl.SSL_CTX_new(OpenSsl.TLS_server_method());
        if (context == 0) throw new CryptographicException("SSL_CTX_new: " + OpenSsl.TakeErrors());
        var handle = new ContextHandle(context);
        try
        {
            CipherPolicy.Apply(context, settings.Protocols);
            if (settings.Certificate is { } certificate) Credentials.Apply(context, certificate, settings.Intermediates);
            ApplySessions(context, settings.Tickets);
            HandshakeCallbacks.Register(context, settings);
            var made = new TlsServerContext(handle, settings, slab);
            OpenSsl.SSL_CTX_set_verify(context, made.VerifyMode, 0);
            return made;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>An SSL object that reads and writes the calling thread's workspace, and waits for a client.</summary>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    public nint Open()
    {
        var isHeld = false;
        try
        {
            _handle.DangerousAddRef(ref isHeld);
            OpenSsl.ERR_clear_error();
            var ssl = OpenSsl.SSL_new(_handle.DangerousGetHandle());
            if (ssl == 0) throw new CryptographicException("SSL_new: " + OpenSsl.TakeErrors());
            SharedBio.Attach(ssl);
            OpenSsl.SSL_set_accept_state(ssl);
            return ssl;
        }
        finally
        {
            if (isHeld) _handle.DangerousRelease();
        }
    }

    private int VerifyMode => Clients switch
    {
        null => OpenSsl.SSL_VERIFY_NONE,
        { AreRequired: true } => OpenSsl.SSL_VERIFY_PEER | OpenSsl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        _ => OpenSsl.SSL_VERIFY_PEER,
    };

    /// <summary>Makes an SSL object use this context's certificate, versions and callbacks. Before a version was chosen.</summary>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    public void MoveHere(nint ssl)
    {
        var isHeld = false;
        try
        {
            _handle.DangerousAddRef(ref isHeld);
            if (OpenSsl.SSL_set_SSL_CTX(ssl, _handle.DangerousGetHandle()) == 0) throw new CryptographicException("SSL_set_SSL_CTX: " + OpenSsl.TakeErrors());
            OpenSsl.SSL_set_verify(ssl, VerifyMode, 0);
            CipherPolicy.Restrict(ssl, _protocols);
            if (Clients is null) return;
            // Nor may a session of another name be resumed under this one.
            _ = OpenSsl.SSL_set_options(ssl, OpenSsl.SSL_OP_NO_TICKET);
            _ = OpenSsl.SSL_set_num_tickets(ssl, 0);
        }
        finally
        {
            if (isHeld) _handle.DangerousRelease();
        }
    }

    public void Dispose() => _handle.Dispose();

    // Tickets hold all that a resumption needs, so the server caches nothing. No early data: none is allowed by default.
    private static void ApplySessions(nint context, int tickets)
    {
        const nint off = 0;
        _ = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_MODE, off, null);
        _ = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_MODE,
            OpenSsl.SSL_MODE_ENABLE_PARTIAL_WRITE | OpenSsl.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | OpenSsl.SSL_MODE_RELEASE_BUFFERS, null);
        if (tickets == 0) _ = OpenSsl.SSL_CTX_set_options(context, OpenSsl.SSL_OP_NO_TICKET);
        var id = "StickyWs"u8;
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
}
