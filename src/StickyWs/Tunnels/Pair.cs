using System.Diagnostics.CodeAnalysis;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>Two sockets whose bytes go to each other: everything that a relay keeps for a tunnel.</summary>
internal struct Pair
{
    /// <summary>No socket, as it was closed; or no pair, as it has ended.</summary>
    public const int Gone = -1;

    /// <summary>How long a drain may go on without a byte, if nothing else is set; with a goodbye, how long it may take in all. Milliseconds.</summary>
    public const int LongestDrain = 60_000;

    public IPairOwner? Owner;

    public PairSide Client;
    public PairSide Backend;

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

    /// <summary>The word that ends it, once that was said.</summary>
    public Goodbye? Word;

    /// <summary>Watches over the silence of each side; most pairs have none.</summary>
    public TunnelWatch? Watch;

    /// <summary>How long the word's next step is waited for, as the lower half of the reactor's clock.</summary>
    public int Until;

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

    public readonly bool IsHalfClosed => Client.HasFinished || Backend.HasFinished;

    public readonly bool HasTls => Client.Tls is not null || Backend.Tls is not null;

    /// <summary>Whether both sides have ended.</summary>
    public readonly bool HasEnded => (Client.HasFinished || Client.IsGone) && (Backend.HasFinished || Backend.IsGone);

    /// <summary>Whether a goodbye is under way, and not yet in its last wait.</summary>
    public readonly bool IsLeaving => Word is not null && !IsDraining;

    /// <summary>Whether the sweep has to check it.</summary>
    public readonly bool IsLimited => Limit > 0 || DeadPeerLimit > 0 || Watch is not null;

    /// <summary>The limit in force; 0 for none.</summary>
    public readonly int Limit => IsHalfClosed && HalfClosedLimit > 0 && (IdleLimit == 0 || HalfClosedLimit < IdleLimit) ? HalfClosedLimit : IdleLimit;

    /// <summary>How long the remaining side may go without acknowledging anything while it drains.</summary>
    public readonly int DrainLimit => HalfClosedLimit > 0 ? HalfClosedLimit : IdleLimit > 0 ? IdleLimit : LongestDrain;

    /// <summary>The client's side, or the backend's.</summary>
    [UnscopedRef]
    public ref PairSide Of(bool isClient)
    {
        if (isClient) return ref Client;
        return ref Backend;
    }
}
