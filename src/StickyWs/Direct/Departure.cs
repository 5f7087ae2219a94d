using StickyWs.Tls;

namespace StickyWs.Direct;

/// <summary>Where a client of the direct lane goes.</summary>
internal enum DepartureWay
{
    /// <summary>Nowhere: its connection is over.</summary>
    None,

    /// <summary>To Kestrel, as the ordinary connection that it has become.</summary>
    ToKestrel,

    /// <summary>It asks for a WebSocket, with nothing under way for it. Its connection is the bare socket again that it was at first.</summary>
    ToTunnel,
}

/// <summary>How a client has left the direct lane.</summary>
/// <param name="Way">Where it goes.</param>
/// <param name="Plain">With <see cref="DepartureWay.ToTunnel"/>: what was received and not used, from the head of its handshake on.</param>
/// <param name="Tls">Its TLS end, from which that came, if it has one; owned by the receiver from here on.</param>
/// <param name="Owed"><see cref="TlsStart.Owed"/></param>
internal sealed record Departure(DepartureWay Way, ReadOnlyMemory<byte> Plain = default, TlsEnd? Tls = null, ReadOnlyMemory<byte> Owed = default)
{
    /// <summary>Its connection is over.</summary>
    public static Departure None { get; } = new(DepartureWay.None);

    /// <summary>Kestrel goes on with its connection.</summary>
    public static Departure ToKestrel { get; } = new(DepartureWay.ToKestrel);
}
