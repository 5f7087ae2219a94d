using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>The C library's <c>struct msghdr</c> (sendmsg(2)), reduced to what a stream needs: the vectors. The rest is 0.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct MessageHeader
{
    [FieldOffset(16)]
    public IoVector* Vectors;

    [FieldOffset(24)]
    public nuint VectorCount;
}

/// <summary>The C library's <c>struct iovec</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public byte* Start;
    public nuint Length;
}
