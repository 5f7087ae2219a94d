using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>The kernel's <c>struct io_uring_sqe</c> (io_uring_enter(2)): one requested operation.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct Submission
{
    /// <summary>The kernel picks a buffer from <see cref="BufferGroup"/>.</summary>
    public const byte IOSQE_BUFFER_SELECT = 1 << 5;

    /// <summary>No completion on success.</summary>
    public const byte IOSQE_CQE_SKIP_SUCCESS = 1 << 6;

    /// <summary>A receive that keeps completing until it fails or is cancelled.</summary>
    public const ushort IORING_RECV_MULTISHOT = 1 << 1;

    /// <summary>The same for a poll.</summary>
    public const uint IORING_POLL_ADD_MULTI = 1 << 0;

    [FieldOffset(0)]
    public UringOperation Operation;

    [FieldOffset(1)]
    public byte Flags;

    [FieldOffset(2)]
    public ushort Options;

    [FieldOffset(4)]
    public int Fd;

    [FieldOffset(16)]
    public ulong Address;

    [FieldOffset(24)]
    public uint Length;

    /// <summary>Message flags, poll events or cancellation flags.</summary>
    [FieldOffset(28)]
    public uint OperationFlags;

    [FieldOffset(32)]
    public ulong Data;

    [FieldOffset(40)]
    public ushort BufferGroup;

    /// <summary>The byte count after which a multishot receive ends (<c>optlen</c>, since Linux 6.17; before that only 0 is valid).</summary>
    [FieldOffset(44)]
    public uint MostBytes;
}

/// <summary>The operations in use, with the kernel's numbers.</summary>
internal enum UringOperation : byte
{
    IORING_OP_NOP = 0,
    IORING_OP_POLL_ADD = 6,
    IORING_OP_SENDMSG = 9,
    IORING_OP_ASYNC_CANCEL = 14,
    IORING_OP_CLOSE = 19,
    IORING_OP_SEND = 26,
    IORING_OP_RECV = 27,
}
