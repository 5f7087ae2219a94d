using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>What a reactor knows of one socket: somebody watches it, and then it streams for a handler.</summary>
internal struct SocketState
{
    /// <summary>In the place of a socket.</summary>
    public const int None = -1;

    public int Fd;
    public uint Generation;
    public SocketFlags Flags;

    /// <summary>The handler's own word for it.</summary>
    public int Place;

    /// <summary>Who is told what it is ready for, until it streams.</summary>
    public IWatcher? Watcher;

    /// <summary>Who is told of its stream.</summary>
    public IStreamHandler? Handler;

    /// <summary>The socket that what arrives here was forwarded to last; <see cref="None"/> for none.</summary>
    public int Target;

    /// <summary>The socket that was last forwarded from to this one; <see cref="None"/> for none.</summary>
    public int Source;

    /// <summary>How many bytes may yet be spliced.</summary>
    public int SpliceLeft;

    /// <summary>What its peer could not take yet; only while there is any.</summary>
    public Held? Leftover;

    /// <summary>What its last send was to move, in bytes.</summary>
    public int Sending;

    /// <summary>Bytes received since its reader stalled last, as far as that counts.</summary>
    public uint Flow;

    /// <summary>How large the pieces are of late that were received by calls of their own.</summary>
    public byte Score;

    /// <summary>What a poll of it is armed for; 0 when none is.</summary>
    public ushort Polled;

    /// <summary>How its stream ended, while that waits to be told.</summary>
    public Errno End;

    /// <summary>What broke it, as far as the kernel has told: it tells once, to whoever comes first.</summary>
    public Errno Fault;

    /// <summary>Operations of the kernel that have not completed for the last time.</summary>
    public byte Operations;

    /// <summary>Received pieces that are to be sent to it: how many, and the buffers of the first and the last.</summary>
    public ushort Pieces;

    public ushort FirstPiece;

    public ushort LastPiece;

    /// <summary>Bytes left over.</summary>
    public readonly int LeftoverLength => Leftover is { } leftover ? leftover.Length : 0;

    public readonly bool Has(SocketFlags flag) => (Flags & flag) != 0;
}

/// <summary>The state of a streaming socket, bit by bit.</summary>
[Flags]
internal enum SocketFlags
{
    None = 0,

    /// <summary>The kernel reported bytes, and not all of them were received.</summary>
    Readable = 1 << 0,

    /// <summary>The kernel reported that the stream ends, so a short receive does not mean that it is drained.</summary>
    Ending = 1 << 1,

    /// <summary>Nothing is to be received until the other side has taken what it got.</summary>
    Paused = 1 << 2,

    /// <summary>Its bytes go to its target by <c>splice</c>.</summary>
    Spliced = 1 << 3,

    /// <summary>On io_uring: its bytes come in bulk, and are received by calls of their own.</summary>
    Bulk = 1 << 24,

    /// <summary>It waits for its next turn in this reactor's queue.</summary>
    Queued = 1 << 4,

    /// <summary>The kernel reports when there is something to receive.</summary>
    WatchesReceive = 1 << 5,

    /// <summary>The kernel reports when it can send again.</summary>
    WatchesSend = 1 << 6,

    /// <summary>It can send no more: it broke while sending. What it has received before is still to be read.</summary>
    SendBroken = 1 << 7,

    /// <summary>Its bytes are received for its handler.</summary>
    Streaming = 1 << 8,

    /// <summary>The kernel reported that the connection broke, which it does once; what had arrived before may still be received.</summary>
    Broken = 1 << 9,

    /// <summary>Urgent data came (tcp(7)): receives stop short of its mark, and splices see nothing behind it.</summary>
    Urgent = 1 << 10,

    /// <summary>A receive is with the kernel.</summary>
    Receiving = 1 << 11,

    /// <summary>... and was asked to end.</summary>
    ReceiveEnds = 1 << 12,

    /// <summary>The poll was asked to end.</summary>
    PollEnds = 1 << 13,

    /// <summary>A poll for room to send is with the kernel.</summary>
    AwaitsRoom = 1 << 14,

    /// <summary>... and was asked to end.</summary>
    RoomEnds = 1 << 22,

    /// <summary>It has as many pieces as it may: its handler waits until they are sent.</summary>
    IsFull = 1 << 23,

    /// <summary>It has pieces that the next turn sends.</summary>
    IsDirty = 1 << 15,

    /// <summary>A send is with the kernel.</summary>
    IsSending = 1 << 16,

    /// <summary>It is nobody's any more, and its place is kept until the kernel has let go of it.</summary>
    Gone = 1 << 17,

    /// <summary>There was no buffer to receive into.</summary>
    Starved = 1 << 18,

    /// <summary>Its stream has ended: nothing more is to be received.</summary>
    Ended = 1 << 19,

    /// <summary>... which is told when its target has taken all that came before.</summary>
    EndHeld = 1 << 20,

    /// <summary>The end of its source waits until it has taken everything.</summary>
    SourceWaits = 1 << 21,

    /// <summary>A FIN follows when it has taken everything.</summary>
    FinishDue = 1 << 26,

    /// <summary>Its handler is told when there is room to send.</summary>
    WantsRoom = 1 << 27,

    /// <summary>To be received from with the next call.</summary>
    AsksReceive = 1 << 25,
}
