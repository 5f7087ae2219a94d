using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StickyWs.Benchmarks.Native;

/// <summary>An IPv4 address and port as the kernel wants them (<c>sockaddr_in</c> of ip(7)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InternetAddress
{
    private const uint Loopback = 0x7f000001;

    private ushort _family;
    private ushort _port;
    private uint _address;
    private ulong _unused;

    /// <summary>127.0.0.1.</summary>
    public static InternetAddress LoopbackAt(int port) => At(Loopback, port);

    /// <summary>One of 127.0.1.1 and those behind it; the kernel chooses the port.</summary>
    public static InternetAddress LoopbackSource(int index) => At(Loopback + 256 + (uint)index, 0);

    /// <summary>All addresses; the kernel chooses the port.</summary>
    public static InternetAddress Any() => At(0, 0);

    public readonly int Port => BinaryPrimitives.ReverseEndianness(_port);

    private static InternetAddress At(uint address, int port) => new()
    {
        _family = 2,
        _port = BinaryPrimitives.ReverseEndianness((ushort)port),
        _address = BinaryPrimitives.ReverseEndianness(address),
        _unused = 0,
    };
}
