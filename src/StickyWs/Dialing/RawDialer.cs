using System.Net;
using System.Net.Sockets;
using StickyWs.Kernel;
using StickyWs.Names;
using StickyWs.Reactors;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>Connects in the raw lane.</summary>
internal static class RawDialer
{
    /// <summary>Connects on one of the lane's reactors, for an HTTP client. The caller owns the stream.</summary>
    /// <exception cref="SocketException">The backend cannot be reached.</exception>
    /// <exception cref="IOException">The connection broke at once.</exception>
    public static async ValueTask<Stream> OpenStreamAsync(
        RawLane lane, AddressBook names, string host, int port, CancellationToken cancellationToken)
    {
        RawSocket? socket = null;
        try
        {
            socket = await ConnectAsync(lane.NextReactor(), names, host, port, cancellationToken).ConfigureAwait(false);
            return new ChannelStream(socket, lane.Channels.FromBackend);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
        finally
        {
            // After a wait this runs on the reactor's thread, and the caller is application code.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }

    /// <exception cref="SocketException">The backend cannot be reached.</exception>
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
    /// <exception cref="SocketException">None of its addresses can be reached, or it has none.</exception>
    public static ValueTask<RawSocket> ConnectAsync(
        Reactor reactor, AddressBook names, string host, int port, CancellationToken cancellationToken)
        => names.ConnectAsync(host, port, (address, token) => ConnectAsync(reactor, address, token), cancellationToken);
}
