using System.Net.Security;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;

namespace StickyWs.Health;

/// <summary>
/// A probe by a connect and a TLS handshake, for backends whose clients' TLS is passed through to them: as such a client it asks for a server name, and
/// verifies the certificate.
/// </summary>
internal sealed class TlsProbe(PoolOptions pool) : IProbe
{
    private readonly string? _name = PassthroughRules.NameForProbe(pool);

    public async ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken)
    {
        var connection = await StreamDialer.ConnectAsync(backend, cancellationToken).ConfigureAwait(false);
        var session = new SslStream(connection);
        await using var closing = session.ConfigureAwait(false);
        var options = BackendTls.For(pool.Tls, backend.Address);
        options.TargetHost = _name ?? options.TargetHost;
        await session.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
    }
}
