using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.Forwarding;

/// <summary>Connects in the raw lane, on the client's reactor. Plain backends only.</summary>
internal sealed class RawConnector(Reactor reactor) : IBackendConnector
{
    public ValueTask<BackendConnection> ConnectAsync(Backend backend, TlsOptions tls, CancellationToken cancellationToken)
        => backend.EndPoint is { } known ? ConnectAsync(known, cancellationToken) : ConnectAsync(backend.Address, cancellationToken);

    private async ValueTask<BackendConnection> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var address = new RawAddress(endPoint);
        var socket = RawSocket.Create(reactor, address.Family);
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return new RawBackendConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Each address of a name in turn, as the runtime's sockets do.
    private async ValueTask<BackendConnection> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? last = null;
        foreach (var ip in await Dns.GetHostAddressesAsync(address.IdnHost, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await ConnectAsync(new IPEndPoint(ip, address.Port), cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                last = ExceptionDispatchInfo.Capture(e);
            }
        }

        last?.Throw();
        throw new SocketException((int)SocketError.HostNotFound);
    }
}
