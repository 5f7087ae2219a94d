using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace StickyWs.Transport;

/// <summary>What the kernel knows of a connection, read without another descriptor: a socket lent by the raw transport costs one.</summary>
internal readonly struct SocketView
{
    private SocketView(Socket? socket, IRawSocketFeature? raw) => (Socket, Raw) = (socket, raw);

    /// <summary>The .NET socket, if it is one.</summary>
    public Socket? Socket { get; }

    /// <summary>The raw transport's socket, if it is one.</summary>
    public IRawSocketFeature? Raw { get; }

    /// <summary>Whether there is no TCP connection to query: an HTTP/2 stream, or an in-memory server.</summary>
    public bool IsNone => Socket is null && Raw is null;

    /// <summary>Whether the peer is known to have finished (FIN), though what it sent before may not have been read yet.</summary>
    public bool HasPeerFinished => Raw is { HasPeerFinished: true };

    /// <summary>Whether something that counts as sent is not with the kernel yet.</summary>
    public bool HasUnsent => Raw is { HasUnsent: true };

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

    /// <summary>The socket of a connection, from its features.</summary>
    public static SocketView Of(IFeatureCollection features)
        => features.Get<IRawSocketFeature>() is { } raw ? new SocketView(null, raw) : new SocketView(features.Get<IConnectionSocketFeature>()?.Socket, null);

    public static SocketView Of(Socket? socket) => new(socket, null);

    /// <summary>Reads a socket option (getsockopt(2)).</summary>
    /// <returns>The number of bytes; 0 if it cannot be read.</returns>
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
