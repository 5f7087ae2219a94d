using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>The options of the socket at the other side of a connection, which is in this process too (tcp(7)).</summary>
internal sealed record PeerOptions(int UserTimeout, bool KeepsAlive, int KeepIdle, int KeepInterval)
{
    private const int SocketLevel = 1;
    private const int TcpLevel = 6;

    public static PeerOptions Of(Socket socket)
    {
        var (local, remote) = (((IPEndPoint)socket.LocalEndPoint!).Port, ((IPEndPoint)socket.RemoteEndPoint!).Port);
        foreach (var path in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            var fd = int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture);
            if (Port(GetSocketName, fd) == remote && Port(GetPeerName, fd) == local) return Of(fd);
        }

        throw new InvalidOperationException($"No socket of this process is at the other side of {socket.LocalEndPoint} -> {socket.RemoteEndPoint}.");
    }

    private static PeerOptions Of(int fd) => new(Get(fd, TcpLevel, 18), Get(fd, SocketLevel, 9) != 0, Get(fd, TcpLevel, 4), Get(fd, TcpLevel, 5));

    private static int Get(int fd, int level, int name)
    {
        var (value, length) = (0, sizeof(int));
        return GetOption(fd, level, name, ref value, ref length) == 0 ? value : -1;
    }

    private static int Port(NameOf name, int fd)
    {
        var (address, length) = (new byte[28], 28);
        return name(fd, address, ref length) == 0 ? BinaryPrimitives.ReadUInt16BigEndian(address.AsSpan(2)) : -1;
    }

    private delegate int NameOf(int fd, [In, Out] byte[] address, ref int length);

#pragma warning disable SYSLIB1054, CA5392 // Generated marshalling needs unsafe code, which tests do without; the library is the system's own.
    [DllImport("libc", EntryPoint = "getsockopt")]
    private static extern int GetOption(int fd, int level, int name, ref int value, ref int length);

    [DllImport("libc", EntryPoint = "getsockname")]
    private static extern int GetSocketName(int fd, [In, Out] byte[] address, ref int length);

    [DllImport("libc", EntryPoint = "getpeername")]
    private static extern int GetPeerName(int fd, [In, Out] byte[] address, ref int length);
#pragma warning restore SYSLIB1054, CA5392
}
