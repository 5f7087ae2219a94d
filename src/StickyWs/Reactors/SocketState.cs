using StickyWs.Kernel;

namespace StickyWs.Reactors;

/// <summary>What a reactor knows about one socket, first while it is watched, then while it streams.</summary>
internal struct SocketState
{
    /// <summary>No socket.</summary>
    public const int None = -1;

    public int Fd;
    public uint Generation;
    public SocketFlags Flags;

    /// <summary>The handler's own index for the socket.</summary>
    public int Place;

    /// <summary>Is told what the socket is ready for, until it streams.</summary>
    public IWatcher? Watcher;

    /// <summary>The handler of the stream.</summary>
    public IStreamHandler? Handler;

    /// <summary>The socket that its bytes were last forwarded to, or <see cref="None"/>.</summary>
    public int Target;

    /// <summary>The socket whose bytes were last forwarded here, or <see cref="None"/>.</summary>
    public int Source;

    /// <summary>How many more bytes may be spliced.</summary>
    public int SpliceLeft;

    /// <summary>What its peer could not take yet; <see langword="null"/> if nothing.</summary>
    public Held? Leftover;

    /// <summary>The bytes of the send under way.</summary>
    public int Sending;

    /// <summary>Bytes received since its reader last stalled, up to a cap.</summary>
    public uint Flow;

    /// <summary>How large recent pieces were, of those received with separate calls.</summary>
    public byte Score;

    /// <summary>The events that its poll is armed for; 0 if there is no poll.</summary>
    public ushort Polled;

    /// <summary>How its stream ended, while reporting that is deferred.</summary>
    public Errno End;

    /// <summary>The error that broke it, as far as is known: the kernel reports it only once, to the first call that asks.</summary>
    public Errno Fault;

    /// <summary>Kernel operations that have not completed for the last time.</summary>
    public byte Operations;

    /// <summary>Pieces queued for sending to it: their number, and the buffers of the first and the last.</summary>
    public ushort Pieces;

    public ushort FirstPiece;

    public ushort LastPiece;

    /// <summary>The number of bytes in <see cref="Leftover"/>.</summary>
    public readonly int LeftoverLength => Leftover is { } leftover ? leftover.Length : 0;

    public readonly bool Has(SocketFlags flag) => (Flags & flag) != 0;

    public readonly bool HasAny(SocketFlags flags) => (Flags & flags) != 0;
}

/// <summary>The state of a socket, bit by bit.</summary>
[Flags]
internal enum SocketFlags
{
    None = 0,

    /// <summary>The kernel reported bytes, and not all were received yet.</summary>
    Readable = 1 << 0,

    /// <summary>The stream may be ending, so a short receive does not mean drained.</summary>
    Ending = 1 << 1,

    /// <summary>The kernel reported the end of the stream: what is left to receive are its last bytes.</summary>
    EndInSight = 1 << 28,

    /// <summary>Nothing is received until the other side has taken what it got.</summary>
    Paused = 1 << 2,

    /// <summary>Its bytes go to its target by splice(2).</summary>
    Spliced = 1 << 3,

    /// <summary>io_uring only: it receives bulk data, with separate calls.</summary>
    Bulk = 1 << 24,

    /// <summary>It waits in the reactor's queue for its next turn.</summary>
    Queued = 1 << 4,

    /// <summary>The kernel reports when there is something to receive.</summary>
    WatchesReceive = 1 << 5,

    /// <summary>The kernel reports when there is room to send.</summary>
    WatchesSend = 1 << 6,

    /// <summary>A send failed because the connection broke. Earlier data from its peer may still be received.</summary>
    SendBroken = 1 << 7,

    /// <summary>It streams: its bytes are received for its handler.</summary>
    Streaming = 1 << 8,

    /// <summary>The kernel reported that the connection broke, which it does only once. Earlier data may still be received.</summary>
    Broken = 1 << 9,

    /// <summary>Urgent data came (tcp(7)): receives stop short of its mark, and splices do not get past it.</summary>
    Urgent = 1 << 10,

    /// <summary>A receive is with the kernel.</summary>
    Receiving = 1 << 11,

    /// <summary>That receive is being cancelled.</summary>
    ReceiveEnds = 1 << 12,

    /// <summary>The poll is being cancelled.</summary>
    PollEnds = 1 << 13,

    /// <summary>The poll ended for want of room; it is asked for again when there is some.</summary>
    PollDue = 1 << 29,

    /// <summary>A poll for room to send is with the kernel.</summary>
    AwaitsRoom = 1 << 14,

    /// <summary>That poll is being cancelled.</summary>
    RoomEnds = 1 << 22,

    /// <summary>It has the most pieces allowed: its handler waits until they are sent.</summary>
    IsFull = 1 << 23,

    /// <summary>It has pieces for the next turn to send.</summary>
    IsDirty = 1 << 15,

    /// <summary>A send is with the kernel.</summary>
    IsSending = 1 << 16,

    /// <summary>It was released; its entry stays taken until the kernel has completed all operations on it.</summary>
    Gone = 1 << 17,

    /// <summary>There was no free buffer to receive into.</summary>
    Starved = 1 << 18,

    /// <summary>Its stream has ended: there is nothing more to receive.</summary>
    Ended = 1 << 19,

    /// <summary>That end is reported when its target has taken everything before it.</summary>
    EndHeld = 1 << 20,

    /// <summary>The end of its source is held until it has taken everything.</summary>
    SourceWaits = 1 << 21,

    /// <summary>A FIN follows when it has taken everything.</summary>
    FinishDue = 1 << 26,

    /// <summary>Its handler waits for room to send.</summary>
    WantsRoom = 1 << 27,

    /// <summary>The next call into the kernel submits a receive.</summary>
    AsksReceive = 1 << 25,
}
