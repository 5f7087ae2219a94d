using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace StickyWs.TestKit;

/// <summary>What a socket has sent and the other side has not yet acknowledged, by the kernel's own table (<c>/proc/net/tcp</c>, <c>tcp6</c>).</summary>
public static class SentQueue
{
    /// <summary>Whether all has arrived; on a system without the table nothing is known, and that counts as arrived.</summary>
    public static bool IsEmpty(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return true;
        var (local, remote) = ((IPEndPoint)socket.LocalEndPoint!, (IPEndPoint)socket.RemoteEndPoint!);
        var (from, to) = ($":{local.Port:X4}", $":{remote.Port:X4}");
        var line = File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(fields => fields[1].EndsWith(from, StringComparison.Ordinal) && fields[2].EndsWith(to, StringComparison.Ordinal));
        return line is null || int.Parse(line[4].Split(':')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) == 0;
    }
}
