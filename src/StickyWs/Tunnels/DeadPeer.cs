using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>Lets the system detect vanished peers (TCP keep-alive and user time-out) on the runtime's sockets. The raw lane has its own.</summary>
internal static class DeadPeer
{
    // Linux accepts no more.
    private const int LongestKeepIdle = 32767;
    private const int LinuxTcpLevel = 6;
    private const int LinuxUserTimeout = 18;

    /// <summary>
    /// For a client's socket. On the raw transport this avoids its socket feature, which would duplicate the descriptor for the connection's
    /// lifetime.
    /// </summary>
    public static void Watch(IConnectionSocketFeature? client, TimeSpan time)
    {
        if (client is RawConnection raw) raw.SetDeadPeerTimeout(time);
        else Watch(client?.Socket, time);
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
