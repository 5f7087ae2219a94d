using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Reactors;

namespace StickyWs.Dialing;

/// <summary>Connects in the raw lane, on the client's reactor. Plaintext backends only.</summary>
internal sealed class RawConnector(Reactor reactor) : IBackendConnector<RawBackendConnection>
{
    public string Lane => LaneNames.Raw;

    public async ValueTask<RawBackendConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken)
    {
        var (names, address) = (backend.Names, backend.Address);
        var socket = backend.EndPoint is { } known
            ? await RawDialer.ConnectAsync(reactor, known, cancellationToken).ConfigureAwait(false)
            : await RawDialer.ConnectAsync(reactor, names, address.IdnHost, address.Port, cancellationToken).ConfigureAwait(false);
        try
        {
            socket.WatchReadable(); // The handshake needs it, and must not be what finds out that the kernel has no watch left.
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new RawBackendConnection(socket);
    }
}
