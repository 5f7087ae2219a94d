using System.Runtime.InteropServices;

namespace StickyWs.Kernel;

/// <summary>The kernel's <c>struct io_uring_params</c> (io_uring_setup(2)): what is requested, then what was granted.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct UringParameters
{
    [FieldOffset(0)]
    public uint Submissions;

    [FieldOffset(4)]
    public uint Completions;

    [FieldOffset(8)]
    public uint Flags;

    [FieldOffset(20)]
    public uint Features;

    // Offsets in the shared memory, in bytes.
    [FieldOffset(40)]
    public uint SubmissionHead;

    [FieldOffset(44)]
    public uint SubmissionTail;

    [FieldOffset(56)]
    public uint SubmissionFlags;

    [FieldOffset(64)]
    public uint SubmissionIndexes;

    [FieldOffset(80)]
    public uint CompletionHead;

    [FieldOffset(84)]
    public uint CompletionTail;

    [FieldOffset(96)]
    public uint CompletionsLost;

    [FieldOffset(100)]
    public uint CompletionEntries;
}
