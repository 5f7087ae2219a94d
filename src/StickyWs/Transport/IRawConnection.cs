using Microsoft.AspNetCore.Connections;

namespace StickyWs.Transport;

/// <summary>
/// The feature of a connection that still is a bare socket: nobody has read from it. There until <see cref="Realize"/>, or <see cref="Detach"/>, or
/// the first use of the connection's transport by anybody.
/// </summary>
internal interface IRawConnection
{
    ConnectionTuple Tuple { get; }

    /// <summary>
    /// Whether the peer is known to have sent its FIN, or its last byte before it broke: what a look finds from then on is all that it will ever
    /// find.
    /// </summary>
    bool HasPeerLeft { get; }

    /// <summary>Copies what has arrived without taking it; 0 at the end of the stream, -1 when nothing is there yet.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    int TryPeek(Span<byte> buffer);

    /// <summary>Waits until something has arrived since the last look. Goes on within the reactor's thread.</summary>
    ValueTask WaitReadableAsync(CancellationToken cancellationToken);

    /// <summary>Gives the socket away: the caller owns it, and Kestrel may let go of the connection.</summary>
    RawSocket Detach();

    /// <summary>Makes an ordinary connection of it, with every byte in place and all features that were set.</summary>
    ConnectionContext Realize();
}
