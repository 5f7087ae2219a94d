using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>Two sockets whose bytes go to each other: all that a relay keeps of a tunnel.</summary>
internal struct Pair
{
    /// <summary>In the place of a socket: it was closed.</summary>
    public const int Gone = -1;

    private const int LongestDrain = 60_000;

    public IPairOwner? Owner;
    public int Client;
    public int Backend;

    /// <summary>When a byte moved last, in the reactor's milliseconds.</summary>
    public long LastActive;

    /// <summary>Milliseconds; 0 for no limit.</summary>
    public int IdleLimit;

    /// <summary>Milliseconds; 0 for no limit.</summary>
    public int HalfClosedLimit;

    /// <summary>Milliseconds; 0 for no limit, or when the kernel has been told.</summary>
    public int DeadPeerLimit;

    /// <summary>Why it ends, as far as that is known: the first reason stands.</summary>
    public EndReason Reason;

    /// <summary>One side is gone, and the other is still to get what that had said: whatever it sends meanwhile is dropped.</summary>
    public bool IsDraining;

    /// <summary>... and then to see that the connection broke.</summary>
    public bool EndsByReset;

    /// <summary>... of which it has not acknowledged so many bytes.</summary>
    public int Unacknowledged;

    /// <summary>What both had acknowledged when it was last looked at because nothing moved here, modulo 2^32.</summary>
    public uint Acknowledged;

    /// <summary>The lower half of <see cref="LastActive"/> at that time.</summary>
    public int LookedAt;

    public bool HasClientFinished;
    public bool HasBackendFinished;

    public readonly bool IsHalfClosed => HasClientFinished || HasBackendFinished;

    /// <summary>Whether somebody has to look at it once in a while.</summary>
    public readonly bool IsLimited => Limit > 0 || DeadPeerLimit > 0;

    /// <summary>The limit in force; 0 for none.</summary>
    public readonly int Limit => IsHalfClosed && HalfClosedLimit > 0 && (IdleLimit == 0 || HalfClosedLimit < IdleLimit) ? HalfClosedLimit : IdleLimit;

    /// <summary>How long a side that drains may take nothing.</summary>
    public readonly int DrainLimit => HalfClosedLimit > 0 ? HalfClosedLimit : IdleLimit > 0 ? IdleLimit : LongestDrain;
}
