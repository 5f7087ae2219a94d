using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>An upstream connection in the raw lane, plaintext or TLS.</summary>
internal sealed class RawBackendConnection(RawSocket socket, RawTlsStream? tls = null) : BackendConnection
{
    public override Stream Stream { get; } = (Stream?)tls ?? new RawSocketStream(socket);

    public RawSocket Socket => socket;

    /// <summary>The TLS end, with what has arrived and was not read; <see langword="null"/> without TLS. A tunnel takes it over with the socket.</summary>
    public TlsStart? Tls => tls?.Take();

    /// <summary>The same for a receiver that goes on to put sessions on their shelf, and forgets them in time (<see cref="TlsEnd.ForgetSessions"/>).</summary>
    public TlsStart? TakeTls(out SessionShelf? sessions)
    {
        sessions = null;
        return tls?.TakeWith(out sessions);
    }

    public override ConnectionTuple? ReadTuple()
        => socket is { LocalAddress: { } local, RemoteAddress: { } remote } ? new ConnectionTuple(local, remote) : null;

    public override void Dispose()
    {
        tls?.Dispose();
        socket.Dispose();
    }
}
