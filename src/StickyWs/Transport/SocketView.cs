using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>What the kernel knows of a connection, asked without a descriptor more: the raw transport lends its sockets by one each.</summary>
internal readonly struct SocketView
{
    private SocketView(Socket? socket, IRawSocketFeature? raw) => (Socket, Raw) = (socket, raw);

    /// <summary>A socket of the runtime's, if it is one.</summary>
    public Socket? Socket { get; }

    /// <summary>A socket of the raw transport, if it is one.</summary>
    public IRawSocketFeature? Raw { get; }

    /// <summary>Whether there is no TCP connection to ask about: a stream of HTTP/2, or a server in memory.</summary>
    public bool IsNone => Socket is null && Raw is null;

    /// <summary>Whether the peer is known to have finished (FIN), though what it sent before may not have been read yet.</summary>
    public bool HasPeerFinished => Raw is { HasPeerFinished: true };

    /// <summary>Whether bytes wait to be received.</summary>
    public bool HasUnread
    {
        get
        {
            try
            {
                return (Raw?.Available ?? Socket?.Available) > 0;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>The socket of a connection, by its features.</summary>
    public static SocketView Of(IFeatureCollection features)
        => features.Get<IRawSocketFeature>() is { } raw ? new SocketView(null, raw) : new SocketView(features.Get<IConnectionSocketFeature>()?.Socket, null);

    public static SocketView Of(Socket? socket) => new(socket, null);

    /// <summary>Reads an option (getsockopt(2)).</summary>
    /// <returns>Its bytes; 0 when it cannot be read.</returns>
    public int GetOption(int level, int name, Span<byte> value)
    {
        try
        {
            return Raw?.GetOption(level, name, value) ?? Socket?.GetRawSocketOption(level, name, value) ?? 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }
}
