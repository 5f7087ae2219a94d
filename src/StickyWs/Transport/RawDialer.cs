using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
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

    /// <summary>Tries each address of a name in turn, as the runtime's sockets do.</summary>
    /// <exception cref="SocketException">The last cannot be reached, or there is none.</exception>
    public static async ValueTask<RawSocket> ConnectAsync(Reactor reactor, string host, int port, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? last = null;
        foreach (var ip in await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await ConnectAsync(reactor, new IPEndPoint(ip, port), cancellationToken).ConfigureAwait(false);
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
