using System.Net.Sockets;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>Has the system find out that a peer is gone without a word, for the runtime's sockets; the raw lane has its own.</summary>
internal static class DeadPeer
{
    // Linux takes no more.
    private const int LongestKeepIdle = 32767;
    private const int LinuxTcpLevel = 6;
    private const int LinuxUserTimeout = 18;

    /// <summary>Of a client.</summary>
    public static void Watch(SocketView client, TimeSpan time)
    {
        if (client.Raw is { } raw) raw.SetDeadPeerTimeout(time);
        else Watch(client.Socket, time);
    }

    public static void Watch(Socket? socket, TimeSpan time)
    {
        if (socket is null) return;
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, Math.Clamp((int)time.TotalSeconds / 2, 1, LongestKeepIdle));
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Math.Max(1, (int)time.TotalSeconds / 8));
            if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(LinuxTcpLevel, LinuxUserTimeout, BitConverter.GetBytes((int)time.TotalMilliseconds));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // No TCP below, or broken already; its relay will see the latter.
        }
    }
}
