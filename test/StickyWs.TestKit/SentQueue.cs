using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace StickyWs.TestKit;

/// <summary>What a socket has sent and the other side has not yet acknowledged (tcp(7), <c>SIOCOUTQ</c>).</summary>
public static partial class SentQueue
{
    private const nuint Siocoutq = 0x5411;

    /// <summary>Whether all has arrived; on a system where it cannot be asked nothing is known, and that counts as arrived.</summary>
    public static bool IsEmpty(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return true;
        return IoControl((int)socket.Handle, Siocoutq, out var bytes) != 0 || bytes == 0;
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoControl(int fd, nuint request, out int value);
}
