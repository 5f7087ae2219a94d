using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// What handshakes of a client share. It accepts every certificate: <see cref="TlsFacts.PeerCertificates"/> are to be judged before the first byte is
/// sent, those of a resumed session too. Without client certificates, early data and authentication after the handshake.
/// </summary>
internal sealed unsafe class TlsClientContext : TlsContext
{
    private TlsClientContext(ContextHandle handle, TlsClientSettings settings, SecretSlab slab)
        : base(handle, settings.KeepsSsl, settings.RecordsPerKey, slab)
        => KeepsSessions = settings.KeepsSessions;

    /// <inheritdoc cref="TlsClientSettings.KeepsSessions"/>
    public bool KeepsSessions { get; }

    /// <exception cref="TlsUnavailableException">There is no OpenSSL 3, or other versions than TLS 1.2 and 1.3 are wanted.</exception>
    /// <exception cref="CryptographicException">OpenSSL refuses a setting.</exception>
    public static TlsClientContext Create(TlsClientSettings settings) => Create(settings, SecretSlab.Shared);

    /// <inheritdoc cref="Create(TlsClientSettings)"/>
    public static TlsClientContext Create(TlsClientSettings settings, SecretSlab slab)
        => new(Make(isClient: true, settings is { KeepsSsl: false, LogsSecrets: false }, context => Configure(context, settings)), settings, slab);

    protected override void TakeRole(nint ssl) => OpenSsl.SSL_set_connect_state(ssl);

    private static void Configure(nint context, TlsClientSettings settings)
    {
        CipherPolicy.Apply(context, settings.Protocols);
        HandshakeCallbacks.RegisterClient(context, settings);
        if (settings.KeepsSessions) HandshakeCallbacks.RegisterSessions(context);
        if (settings.ApplicationProtocols.Count == 0) return;
        byte[] names = [.. settings.ApplicationProtocols.SelectMany(protocol => (byte[])[(byte)protocol.Protocol.Length, .. protocol.Protocol.Span])];
        fixed (byte* start = names)
        {
            if (OpenSsl.SSL_CTX_set_alpn_protos(context, start, (uint)names.Length) == 0) return;
        }

        throw new CryptographicException("SSL_CTX_set_alpn_protos: " + OpenSsl.TakeErrors());
    }
}
