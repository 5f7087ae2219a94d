using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Tunnels;

namespace StickyWs.Forwarding;

/// <summary>
/// The client's side of a handshake, whichever way the client came: a raw socket or a connection that was sniffed, or an upgrade that reached the HTTP
/// pipeline. Exactly one of <see cref="AcceptAsync"/>, <see cref="RefuseAsync"/> and <see cref="PassAsync"/> is called, once.
/// </summary>
internal abstract class ClientLeg : TunnelClient
{
    /// <summary>What goes into <c>X-Forwarded-*</c>.</summary>
    public abstract ClientInfo Info { get; }

    /// <summary>The lane of its tunnel, one of <see cref="Observability.LaneNames"/>.</summary>
    public abstract string Lane { get; }

    /// <summary>
    /// Fires when the client's connection has ended, in order or broken. It counts until the tunnel stands: who ends a connection before the
    /// 101 cannot want a WebSocket any more. A tunnel reads the client's end from its stream.
    /// </summary>
    public abstract CancellationToken Left { get; }

    /// <summary>Passes the verified 101 on, and what the backend sent right behind it; from then on the client's bytes are the tunnel's.</summary>
    /// <returns>
    /// <see langword="false"/> when the client's server has no room for one more upgraded connection; then nothing was sent, and the client is to be
    /// refused.
    /// </returns>
    public abstract ValueTask<bool> AcceptAsync(ResponseHead answer, ReadOnlyMemory<byte> afterHead);

    /// <summary>Answers in the balancer's own name.</summary>
    public abstract ValueTask RefuseAsync(Refusal refusal);

    /// <summary>Passes on an answer that is no 101, body and all; the connection is closed after it.</summary>
    public abstract ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken);
}

/// <summary>A client, and how it is joined with a backend.</summary>
/// <typeparam name="TConnection">The kind of connection that its lane has to backends.</typeparam>
internal abstract class ClientLeg<TConnection> : ClientLeg
    where TConnection : BackendConnection
{
    /// <summary>How backends are connected to for this client: its lane's way.</summary>
    public abstract IBackendConnector<TConnection> Connector { get; }

    /// <summary>
    /// Behind <see cref="ClientLeg.AcceptAsync"/>: makes a tunnel of both connections and takes over the backend's connection and lease. Completes
    /// when the tunnel has ended, or when it lives on elsewhere.
    /// </summary>
    public abstract Task RelayAsync(OpenedBackend<TConnection> opened, TunnelOptions options, TunnelTable tunnels);
}
