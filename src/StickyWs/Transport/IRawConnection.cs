using Microsoft.AspNetCore.Connections;
using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Transport;

/// <summary>
/// The feature of a connection that is still a bare socket: nothing has been read from it. Present until <see cref="Realize"/>, <see cref="Detach"/>,
/// or the first use of the connection's transport.
/// </summary>
internal interface IRawConnection
{
    ConnectionTuple Tuple { get; }

    /// <summary>
    /// Whether the peer is known to have sent its FIN, or its last byte before a break: a peek from then on finds all there will ever be.
    /// </summary>
    bool HasPeerLeft { get; }

    /// <summary>Fires when its listener is closed: the client is no longer waited for.</summary>
    CancellationToken Stopping { get; }

    /// <summary>Copies what has arrived without consuming it; 0 at the end of the stream, -1 if nothing is there yet.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    int TryPeek(Span<byte> buffer);

    /// <summary>Waits until something has arrived since the last peek. Continues on the reactor's thread.</summary>
    ValueTask WaitReadableAsync(CancellationToken cancellationToken);

    /// <summary>The socket, for the TLS handshake that is done on it. From the first byte taken, <see cref="Realize"/> needs what it has led to.</summary>
    RawSocket Bare { get; }

    /// <summary>Hands the socket over: the caller owns it, and Kestrel may release the connection.</summary>
    RawSocket Detach();

    /// <summary>
    /// Lends the socket to a handler on its reactor, until that closes it or gives it back (<see cref="TakeBack"/>). What it needs to know of the socket,
    /// such as its <see cref="Tuple"/>, has to be read before.
    /// </summary>
    /// <param name="abort">
    /// Called, on any thread and perhaps several times, when the connection is to be aborted, but never within this call: whether it was aborted before, or
    /// meanwhile, is to be seen at <see cref="Bare"/> once the handler is ready (<see cref="RawSocket.IsAborted"/>).
    /// </param>
    /// <exception cref="IOException">The kernel cannot watch another socket; the connection still owns it.</exception>
    WatchedSocket Lend(Action abort);

    /// <summary>Takes a lent socket back, as an ordinary connection with every byte in place. On the reactor's thread.</summary>
    void TakeBack(StreamingSocket socket);

    /// <summary>
    /// Takes a lent socket back as the bare socket that it was. What was received from it meanwhile, and not used, is the caller's, and comes first. On the
    /// reactor's thread.
    /// </summary>
    /// <returns>Whether that is done; if not, it has to be tried again in the reactor's next turn (<see cref="RawSocket.TryTakeBack"/>).</returns>
    bool TryTakeBack();

    /// <summary>Opens a connection to the app that stands for this one, which stays lent. On the reactor's thread.</summary>
    /// <param name="client">Feeds it.</param>
    /// <param name="features">What the server is to know of the client's connection.</param>
    /// <returns>One that was not presented yet; <see langword="null"/> if Kestrel serves this connection, and would count it twice.</returns>
    AppConnection? TryOpenApp(IAppClient client, IArrivalFeatures features);

    /// <summary>It carries plain HTTP, whose connections to backends are shared.</summary>
    void NotePlain();

    /// <summary>Turns it into an ordinary connection, with every byte in place and all features that were set.</summary>
    /// <param name="tls">The TLS end between the socket and the connection's transport, if there is one; owned by the connection from here on.</param>
    /// <param name="early">Without TLS: what was received from the socket already. It comes first.</param>
    ConnectionContext Realize(TlsStart? tls = null, ReadOnlyMemory<byte> early = default);
}
