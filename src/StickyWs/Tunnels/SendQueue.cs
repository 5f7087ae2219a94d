using System.Buffers.Binary;
using StickyWs.Kernel;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>What the kernel still has of the bytes that a socket was to send (<c>TCP_INFO</c>, tcp(7)).</summary>
/// <param name="IsEmpty">Whether the peer's kernel has acknowledged all.</param>
/// <param name="Acknowledged">Bytes that were acknowledged so far.</param>
internal readonly record struct SendQueue(bool IsEmpty, long Acknowledged)
{
    // struct tcp_info of linux/tcp.h; it only ever grows at its end.
    private const int State = 0;
    private const int Unacknowledged = 24;
    private const int NotSent = 144;

    private const byte Closed = 7;

    /// <returns><see langword="null"/> where nothing is to be waited for: the connection is over, there is no TCP below, or the system does not tell.</returns>
    public static SendQueue? Of(SocketView socket)
    {
        if (socket.IsNone || !OperatingSystem.IsLinux()) return null;
        Span<byte> info = stackalloc byte[Libc.TcpInfoSize];
        if (socket.GetOption(Libc.IPPROTO_TCP, Libc.TCP_INFO, info) < Libc.TcpInfoSize || info[State] == Closed) return null;
        var isEmpty = Read(info, Unacknowledged) == 0 && Read(info, NotSent) == 0;
        return new SendQueue(isEmpty, BinaryPrimitives.ReadInt64LittleEndian(info[Libc.TcpInfoBytesAcknowledged..]));
    }

    private static uint Read(ReadOnlySpan<byte> info, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(info[offset..]);
}
