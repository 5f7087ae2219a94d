using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>The kernel's <c>struct io_uring_cqe</c>: the result of an operation.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct Completion
{
    private const uint IORING_CQE_F_BUFFER = 1 << 0;
    private const uint IORING_CQE_F_MORE = 1 << 1;
    private const int IORING_CQE_BUFFER_SHIFT = 16;

    /// <summary>The submission's user data (<c>user_data</c>).</summary>
    [FieldOffset(0)]
    public ulong Data;

    /// <summary>What the system call would have returned; errors are negative.</summary>
    [FieldOffset(8)]
    public int Result;

    [FieldOffset(12)]
    public uint Flags;

    /// <summary>Clamped to a byte: kernel-internal numbers beyond those of errno(3) have no name in <see cref="Errno"/> either.</summary>
    public readonly Errno Error => Result < 0 ? (Errno)Math.Min(-(long)Result, byte.MaxValue) : Errno.None;

    /// <summary>Whether the same operation will complete again.</summary>
    public readonly bool GoesOn => (Flags & IORING_CQE_F_MORE) != 0;

    /// <summary>The id of the buffer that was filled; -1 for none.</summary>
    public readonly int Buffer => (Flags & IORING_CQE_F_BUFFER) != 0 ? (int)(Flags >> IORING_CQE_BUFFER_SHIFT) : -1;
}
