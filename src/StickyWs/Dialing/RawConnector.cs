using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>Connects in the raw lane, on the client's reactor, with TLS if the address asks for it.</summary>
/// <param name="reactor">The client's reactor.</param>
/// <param name="secure">Does TLS; must be on if a backend asks for it.</param>
internal sealed class RawConnector(Reactor reactor, RawBackendTls? secure = null) : IBackendConnector<RawBackendConnection>
{
    public string Lane => LaneNames.Raw;

    public async ValueTask ReturnAsync() => await reactor.SwitchTo();

    public async ValueTask<RawBackendConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken)
    {
        var (names, address) = (backend.Names, backend.Address);
        var socket = backend.EndPoint is { } known
            ? await RawDialer.ConnectAsync(reactor, known, cancellationToken).ConfigureAwait(false)
            : await RawDialer.ConnectAsync(reactor, names, address.IdnHost, address.Port, cancellationToken).ConfigureAwait(false);
        try
        {
            socket.WatchReadable(); // The handshake needs it, and must not be what finds out that the kernel has no watch left.
            return BackendTls.IsUsedBy(address)
                ? await SecureAsync(socket, backend, tls, cancellationToken).ConfigureAwait(false)
                : new RawBackendConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async ValueTask<RawBackendConnection> SecureAsync(RawSocket socket, Backend backend, TlsOptions tls, CancellationToken cancellationToken)
    {
        try
        {
            return new RawBackendConnection(socket, await secure!.OpenAsync(socket, backend.Address, tls, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            StreamDialer.NoteFailedTls(backend.Names, backend.Address, e);
            throw;
        }
    }
}
