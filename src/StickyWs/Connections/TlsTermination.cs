using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyWs.Observability;
using StickyWs.Tls;

namespace StickyWs.Connections;

/// <summary>
/// How TLS is ended on the connections of one https endpoint: with the certificates, protocols and time-out that the application gave Kestrel.
/// </summary>
internal sealed class TlsTermination
{
    // Selectors want to know the connection, and OpenSSL asks for the certificate within a call for it.
    [ThreadStatic]
    private static ConnectionContext? _current;

    private readonly ConditionalWeakTable<object, TlsServerContext> _contexts = [];
    private readonly TlsServerSettings _settings;
    private readonly TlsServerContext _context;

    /// <param name="options">The endpoint's options.</param>
    /// <param name="protocols">The versions of HTTP that it offers.</param>
    /// <param name="keepsSsl">Whether OpenSSL goes on with the records after the handshake.</param>
    /// <param name="tickets">What session tickets are protected with.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The certificate cannot be used.</exception>
    public TlsTermination(HttpsConnectionAdapterOptions options, HttpProtocols protocols, bool keepsSsl, TicketKeys tickets)
    {
        HandshakeTimeout = options.HandshakeTimeout;
        _settings = new TlsServerSettings
        {
            ApplicationProtocols = Offered(protocols),
            Protocols = options.SslProtocols,
            KeepsSsl = keepsSsl,
            TicketKeys = tickets,
            ClientCertificates = ClientCertificateCheck.Of(options),
        };
        CallsOut = _settings.ClientCertificates is not null || options.ServerCertificateSelector is not null;
        _context = options.ServerCertificateSelector is { } selector
            ? TlsServerContext.Create(_settings with { Select = name => Select(selector, options.ServerCertificateChain, name) })
            : Create(_settings, options.ServerCertificate!, options.ServerCertificateChain);
    }

    /// <param name="section">The endpoint's section <c>Sni</c>.</param>
    /// <param name="names">The names in it: a name that cannot be served is found now.</param>
    /// <param name="keepsSsl">Whether OpenSSL goes on with the records after the handshake.</param>
    /// <param name="tickets">What session tickets are protected with.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A certificate cannot be used.</exception>
    /// <exception cref="TlsUnavailableException">A name has options that only SslStream knows.</exception>
    public TlsTermination(SniSection section, IEnumerable<string> names, bool keepsSsl, TicketKeys tickets)
    {
        HandshakeTimeout = section.HandshakeTimeout;
        _settings = new TlsServerSettings { KeepsSsl = keepsSsl, TicketKeys = tickets };
        var contexts = names.Select(name => Of(section, new DefaultConnectionContext(), name)).ToList();
        CallsOut = contexts.Any(context => context.Clients is not null);
        _context = TlsServerContext.Create(_settings with { Select = name => Of(section, _current!, name) });
    }

    /// <summary>Where handshakes are counted.</summary>
    public required StickyWsMetrics Metrics { get; init; }

    /// <summary>How long a handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; }

    /// <summary>Whether a handshake calls the application's code, or may ask the network about a client's certificate: not on a reactor.</summary>
    public bool CallsOut { get; }

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

    private static SslApplicationProtocol[] Offered(HttpProtocols protocols)
    {
        var (http1, http2) = ((protocols & HttpProtocols.Http1) != 0, (protocols & HttpProtocols.Http2) != 0);
        return (http1, http2) switch
        {
            (true, true) => [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            (false, true) => [SslApplicationProtocol.Http2],
            _ => [SslApplicationProtocol.Http11],
        };
    }

    // As Kestrel does it: the collection may be a whole file, with the certificate and its root; and others may come from the machine's store. Nothing is
    // downloaded, as this may run on a reactor.
    private static TlsServerContext Create(TlsServerSettings settings, X509Certificate2 certificate, X509Certificate2Collection? chain)
        => Create(settings, SslStreamCertificateContext.Create(certificate, chain, offline: true));

    private static TlsServerContext Create(TlsServerSettings settings, SslStreamCertificateContext certificate)
        => TlsServerContext.Create(settings with { Certificate = certificate.TargetCertificate, Intermediates = [.. certificate.IntermediateCertificates] });

    private TlsServerContext Select(Func<ConnectionContext?, string?, X509Certificate2?> selector, X509Certificate2Collection? chain, string? name)
    {
        var certificate = selector(_current, name) ?? throw new AuthenticationException($"The certificate selector has no certificate for '{name}'.");
        return _contexts.GetValue(certificate, _ => Create(_settings, ServerCertificates.Allowed(certificate), chain));
    }

    private TlsServerContext Of(SniSection section, ConnectionContext connection, string? name)
    {
        var options = section.Select(connection, name, out var isDelayed);
        return _contexts.GetValue(options, _ =>
        {
            if (isDelayed) throw new TlsUnavailableException($"it asks for client certificates later (DelayCertificate) at '{name}'");
            var settings = _settings with
            {
                ApplicationProtocols = options.ApplicationProtocols ?? [],
                Protocols = options.EnabledSslProtocols,
                ClientCertificates = ClientCertificateCheck.Of(options),
            };
            return options.ServerCertificateContext is { } certificate
                ? Create(settings, certificate)
                : throw new TlsUnavailableException($"it has no certificate at '{name}'");
        });
    }
}
