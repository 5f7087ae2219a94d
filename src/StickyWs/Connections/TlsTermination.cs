using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyWs.Tls;

namespace StickyWs.Connections;

/// <summary>
/// How TLS is ended on the connections of one https endpoint: with the certificates, protocols and time-out that the application gave Kestrel.
/// </summary>
internal sealed class TlsTermination
{
    // The selector of Kestrel's options wants to know the connection, and OpenSSL asks for the certificate within a call for it.
    [ThreadStatic]
    private static ConnectionContext? _current;

    private readonly ConditionalWeakTable<X509Certificate2, TlsServerContext> _contexts = [];
    private readonly HttpsConnectionAdapterOptions _options;
    private readonly SslApplicationProtocol[] _protocols;
    private readonly bool _keepsSsl;
    private readonly TicketKeys _tickets;
    private readonly TlsServerContext _context;

    /// <param name="options">The endpoint's options.</param>
    /// <param name="protocols">The versions of HTTP that it offers.</param>
    /// <param name="keepsSsl">Whether OpenSSL goes on with the records after the handshake.</param>
    /// <param name="tickets">What session tickets are protected with.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The certificate cannot be used.</exception>
    public TlsTermination(HttpsConnectionAdapterOptions options, HttpProtocols protocols, bool keepsSsl, TicketKeys tickets)
    {
        (_options, _keepsSsl, _tickets) = (options, keepsSsl, tickets);
        var (http1, http2) = ((protocols & HttpProtocols.Http1) != 0, (protocols & HttpProtocols.Http2) != 0);
        _protocols = (http1, http2) switch
        {
            (true, true) => [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            (false, true) => [SslApplicationProtocol.Http2],
            _ => [SslApplicationProtocol.Http11],
        };
        _context = options.ServerCertificateSelector is null
            ? Create(options.ServerCertificate!, options.ServerCertificateChain)
            : TlsServerContext.Create(Settings with { Select = Select });
    }

    /// <summary>How long a handshake may take.</summary>
    public TimeSpan HandshakeTimeout => _options.HandshakeTimeout;

    /// <summary>Begins a handshake.</summary>
    public TlsEnd Accept() => TlsEnd.Accept(_context);

    /// <summary>Passes on what the client sent. The result is valid until this thread's next call.</summary>
    public static TlsStep Receive(ConnectionContext connection, TlsEnd end, ReadOnlySpan<byte> bytes)
    {
        _current = connection;
        try
        {
            return end.Receive(bytes);
        }
        finally
        {
            _current = null;
        }
    }

    private TlsServerSettings Settings
        => new() { ApplicationProtocols = _protocols, Protocols = _options.SslProtocols, KeepsSsl = _keepsSsl, TicketKeys = _tickets };

    // As Kestrel does it: the collection may be a whole file, with the certificate and its root; and others may come from the machine's store. Nothing is
    // downloaded, as this may run on a reactor.
    private TlsServerContext Create(X509Certificate2 certificate, X509Certificate2Collection? chain)
    {
        var intermediates = SslStreamCertificateContext.Create(certificate, chain, offline: true).IntermediateCertificates;
        return TlsServerContext.Create(Settings with { Certificate = certificate, Intermediates = [.. intermediates] });
    }

    private TlsServerContext Select(string? name)
    {
        var certificate = _options.ServerCertificateSelector!(_current, name)
            ?? throw new AuthenticationException($"The certificate selector has no certificate for '{name}'.");
        return _contexts.GetValue(certificate, certificate => Create(certificate, _options.ServerCertificateChain));
    }
}
