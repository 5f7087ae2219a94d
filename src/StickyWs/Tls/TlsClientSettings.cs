using System.Net.Security;
using System.Security.Authentication;

namespace StickyWs.Tls;

/// <summary>What a client's handshakes use. Trust is not among it: the certificates are for the owner of the connection to judge.</summary>
internal sealed record TlsClientSettings
{
    /// <summary>Offered in this order; empty for no ALPN.</summary>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; } = [];

    /// <inheritdoc cref="TlsServerSettings.Protocols"/>
    public SslProtocols Protocols { get; init; } = SslProtocols.None;

    /// <inheritdoc cref="TlsServerSettings.KeepsSsl"/>
    public bool KeepsSsl { get; init; }

    /// <inheritdoc cref="TlsServerSettings.LogsSecrets"/>
    public bool LogsSecrets { get; init; } = !KeyProvider.IsUsed;

    /// <summary>Whether connections take the server's sessions, for others to offer: see <see cref="TlsEnd.TakeSessions"/>.</summary>
    public bool KeepsSessions { get; init; }

    /// <inheritdoc cref="TlsServerSettings.RecordsPerKey"/>
    public uint RecordsPerKey { get; init; } = TlsServerSettings.DefaultRecordsPerKey;
}
