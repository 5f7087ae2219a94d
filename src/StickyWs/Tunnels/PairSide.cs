using StickyWs.Tls;

namespace StickyWs.Tunnels;

/// <summary>One of the two sockets of a pair, and what is known of it.</summary>
internal struct PairSide
{
    /// <summary>The TLS end between the socket and the pair, if there is one.</summary>
    public TlsEnd? Tls;

    /// <summary>The reactor's number, or <see cref="Pair.Gone"/>.</summary>
    public int Socket;

    /// <summary>With TLS: bytes of the end's own replies that the peer did not take at once.</summary>
    public int Replies;

    /// <summary>With TLS: since when part of a record waits for its rest, as the lower half of the reactor's clock; 0 if none does.</summary>
    public int PartSince;

    /// <summary>It takes no more for now.</summary>
    public bool IsFull;

    /// <summary>Its peer will send nothing more.</summary>
    public bool HasFinished;

    /// <summary>In a goodbye: nothing more is for it. It has a Close frame, its other side's or ours, or cannot get one.</summary>
    public bool IsTold;

    /// <summary>In a goodbye: it was sent its FIN.</summary>
    public bool IsShut;

    public readonly bool IsGone => Socket == Pair.Gone;

    /// <summary>Whether TLS has said that nothing more comes. What comes then does not count (RFC 8446 section 6.1), and keeps no tunnel alive.</summary>
    public readonly bool IsOver => Tls is not null && HasFinished;
}
