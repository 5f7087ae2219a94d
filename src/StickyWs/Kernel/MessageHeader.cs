using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>The C library's <c>struct msghdr</c> (sendmsg(2)), reduced to what a stream needs: no address, and no flags. The rest is 0.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct MessageHeader
{
    [FieldOffset(16)]
    public IoVector* Vectors;

    [FieldOffset(24)]
    public nuint VectorCount;

    [FieldOffset(32)]
    public ControlHeader* Control;

    [FieldOffset(40)]
    public nuint ControlLength;
}

/// <summary>The C library's <c>struct cmsghdr</c> (cmsg(3)). Its data follows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlHeader
{
    public nuint Length;
    public int Level;
    public int Type;
}

/// <summary>The C library's <c>struct iovec</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public byte* Start;
    public nuint Length;
}
