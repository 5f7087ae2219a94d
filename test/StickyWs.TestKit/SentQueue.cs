using System.Net.Sockets;

namespace StickyWs.TestKit;

/// <summary>What a socket has sent and the other side has not yet acknowledged, by the kernel's own account (<c>TCP_INFO</c>, tcp(7)).</summary>
public static class SentQueue
{
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;

    // struct tcp_info of linux/tcp.h; it only ever grows at its end.
    private const int Unacknowledged = 24;
    private const int NotSent = 144;

    /// <summary>Whether all has arrived; on another system nothing is known, and that counts as arrived.</summary>
    public static bool IsEmpty(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return true;
        var info = new byte[NotSent + sizeof(uint)];
        socket.GetRawSocketOption(TcpLevel, TcpInfo, info);
        return Read(info, Unacknowledged) == 0 && Read(info, NotSent) == 0;
    }

    private static uint Read(byte[] info, int offset) => BitConverter.ToUInt32(info, offset);
}
