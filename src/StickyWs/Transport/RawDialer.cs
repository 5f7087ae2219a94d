using System.Net;
using System.Net.Sockets;
using StickyWs.Names;
using StickyWs.Reactors;

namespace StickyWs.Transport;

/// <summary>Connects raw sockets.</summary>
internal static class RawDialer
{
    /// <exception cref="SocketException">It cannot be reached.</exception>
    public static async ValueTask<RawSocket> ConnectAsync(Reactor reactor, IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var address = new RawAddress(endPoint);
        var socket = RawSocket.Create(reactor, address.Family);
        try
        {
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects to a name.</summary>
    /// <exception cref="SocketException">None of its addresses can be reached, or there is none.</exception>
    public static ValueTask<RawSocket> ConnectAsync(Reactor reactor, AddressBook names, string host, int port, CancellationToken cancellationToken)
        => names.ConnectAsync(host, port, (address, token) => ConnectAsync(reactor, address, token), cancellationToken);
}
