using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

namespace StickyWs.Transport;

/// <summary>What the kernel knows of a connection, asked without a descriptor more: the raw transport lends its sockets by one each.</summary>
internal readonly struct SocketView
{
    private readonly Socket? _socket;
    private readonly RawConnection? _raw;

    private SocketView(Socket? socket, RawConnection? raw) => (_socket, _raw) = (socket, raw);

    /// <summary>Whether there is no TCP connection to ask about: a stream of HTTP/2, or a server in memory.</summary>
    public bool IsNone => _socket is null && _raw is null;

    /// <summary>Whether bytes wait to be received.</summary>
    public bool HasUnread
    {
        get
        {
            try
            {
                return (_raw?.Available ?? _socket?.Available) > 0;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    public static SocketView Of(IConnectionSocketFeature? feature)
        => feature is RawConnection raw ? new SocketView(null, raw) : new SocketView(feature?.Socket, null);

    public static SocketView Of(Socket? socket) => new(socket, null);

    /// <summary>Reads an option (getsockopt(2)).</summary>
    /// <returns>Its bytes; 0 when it cannot be read.</returns>
    public int GetOption(int level, int name, Span<byte> value)
    {
        try
        {
            return _raw?.GetOption(level, name, value) ?? _socket?.GetRawSocketOption(level, name, value) ?? 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }
}
