using System.Buffers.Binary;
using StickyWs.Kernel;
using StickyWs.Transport;

namespace StickyWs.Tunnels;

/// <summary>The kernel's send queue of a socket (<c>TCP_INFO</c>, tcp(7)).</summary>
/// <param name="IsEmpty">Whether the peer's kernel has acknowledged everything.</param>
/// <param name="Acknowledged">The number of bytes acknowledged so far.</param>
/// <param name="Longest">The most bytes that may still be to be acknowledged.</param>
internal readonly record struct SendQueue(bool IsEmpty, long Acknowledged, long Longest)
{
    // struct tcp_info of linux/tcp.h, which grows only at its end.
    private const int State = 0;
    private const int SegmentSize = 16;
    private const int Unacknowledged = 24; // In segments.
    private const int NotSent = 144;

    private const byte Closed = 7;

    /// <returns>
    /// <see langword="null"/> if there is nothing to wait for: the connection is closed, it is not TCP, or the system does not report the queue.
    /// </returns>
    public static SendQueue? Of(SocketView socket)
    {
        var isUnsent = socket.HasUnsent; // First: it is with the kernel later.
        Span<byte> info = stackalloc byte[Libc.TcpInfoSize];
        if (ReadInfo(socket, info) < Libc.TcpInfoSize || info[State] == Closed) return null;
        var isEmpty = !isUnsent && Read(info, Unacknowledged) == 0 && Read(info, NotSent) == 0;
        var longest = ((long)Read(info, Unacknowledged) * Read(info, SegmentSize)) + Read(info, NotSent);
        return new SendQueue(isEmpty, BinaryPrimitives.ReadInt64LittleEndian(info[Libc.TcpInfoBytesAcknowledged..]), longest);
    }

    /// <summary>Whether the connection is closed on both sides, or broke; <see langword="false"/> where the system does not report it.</summary>
    public static bool IsClosed(SocketView socket)
    {
        Span<byte> info = stackalloc byte[Libc.TcpInfoSize];
        return ReadInfo(socket, info) > State && info[State] == Closed;
    }

    private static int ReadInfo(SocketView socket, Span<byte> info)
        => socket.IsNone || !OperatingSystem.IsLinux() ? 0 : socket.GetOption(Libc.IPPROTO_TCP, Libc.TCP_INFO, info);

    private static uint Read(ReadOnlySpan<byte> info, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(info[offset..]);
}
