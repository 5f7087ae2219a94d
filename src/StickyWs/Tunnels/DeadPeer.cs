using System.Net.Sockets;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>Lets the system detect vanished peers (TCP keep-alive and user time-out) on the runtime's sockets. The raw lane has its own.</summary>
internal static class DeadPeer
{
    // Linux accepts no more.
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
            var keepIdle = Math.Clamp((int)time.TotalSeconds / 2, 1, LongestKeepIdle);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, keepIdle);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Math.Max(1, (int)time.TotalSeconds / 8));
            var milliseconds = BitConverter.GetBytes((int)time.TotalMilliseconds);
            if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(LinuxTcpLevel, LinuxUserTimeout, milliseconds);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Not TCP, or already broken; the relay notices the latter.
        }
    }
}
