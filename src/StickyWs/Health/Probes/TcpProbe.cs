using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;

namespace StickyWs.Health;

/// <summary>A probe by a connect, and by the TLS handshake on <c>https</c> backends; it sends nothing else.</summary>
internal sealed class TcpProbe(TlsOptions tls) : IProbe
{
    public async ValueTask ProbeAsync(Backend backend, CancellationToken cancellationToken)
        => await (await StreamDialer.OpenAsync(backend, tls, [], cancellationToken).ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
}
