using StickyWs.Observability;
using StickyWs.Tls;

namespace StickyWs.Tunnels;

/// <summary>Two sockets whose bytes go to each other: everything that a relay keeps for a tunnel.</summary>
internal struct Pair
{
    /// <summary>No socket: it was closed.</summary>
    public const int Gone = -1;

    private const int LongestDrain = 60_000;

    public IPairOwner? Owner;

    /// <summary>The TLS end between the client's socket and the pair, if there is one.</summary>
    public TlsEnd? Tls;

    public int Client;
    public int Backend;

    /// <summary>When a byte last moved, on the reactor's clock.</summary>
    public long LastActive;

    /// <summary>Milliseconds; 0 for no limit.</summary>
    public int IdleLimit;

    /// <summary>Milliseconds; 0 for no limit.</summary>
    public int HalfClosedLimit;

    /// <summary>Milliseconds; 0 for no limit, or once the kernel has been told.</summary>
    public int DeadPeerLimit;

    /// <summary>Why it ends, if known: the first reason counts.</summary>
    public EndReason Reason;

    /// <summary>One side is gone, and the other still has to receive what that side sent. Input from the other is dropped meanwhile.</summary>
    public bool IsDraining;

    /// <summary>After draining, the remaining connection is reset.</summary>
    public bool EndsByReset;

    /// <summary>While draining: the bytes that the remaining side has not acknowledged.</summary>
    public int Unacknowledged;

    /// <summary>The bytes that both sides had acknowledged at the last idle check, modulo 2^32.</summary>
    public uint Acknowledged;

    /// <summary>The lower half of <see cref="LastActive"/> at that check.</summary>
    public int LookedAt;

    /// <summary>Bytes of replies by the TLS end that the client did not take at once.</summary>
    public int Replies;

    public bool HasClientFinished;
    public bool HasBackendFinished;

    public readonly bool IsHalfClosed => HasClientFinished || HasBackendFinished;

    /// <summary>Whether the sweep has to check it.</summary>
    public readonly bool IsLimited => Limit > 0 || DeadPeerLimit > 0;

    /// <summary>The limit in force; 0 for none.</summary>
    public readonly int Limit => IsHalfClosed && HalfClosedLimit > 0 && (IdleLimit == 0 || HalfClosedLimit < IdleLimit) ? HalfClosedLimit : IdleLimit;

    /// <summary>How long the remaining side may go without acknowledging anything while it drains.</summary>
    public readonly int DrainLimit => HalfClosedLimit > 0 ? HalfClosedLimit : IdleLimit > 0 ? IdleLimit : LongestDrain;
}
