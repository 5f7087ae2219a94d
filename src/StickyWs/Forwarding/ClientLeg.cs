using StickyWs.Access;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Tunnels;

namespace StickyWs.Forwarding;

/// <summary>
/// The client side of a handshake, for all three ways a client arrives: a raw socket, a sniffed connection, or an upgrade that reached the HTTP
/// pipeline. Exactly one of <see cref="AcceptAsync"/>, <see cref="RefuseAsync"/> and <see cref="PassAsync"/> is called, once.
/// </summary>
internal abstract class ClientLeg : TunnelClient
{
    /// <summary>The source of <c>X-Forwarded-*</c>.</summary>
    public abstract ClientInfo Info { get; }

    /// <summary>The lane of its tunnel, one of <see cref="Observability.LaneNames"/>.</summary>
    public abstract string Lane { get; }

    /// <summary>The version of the TLS that ends here, as <c>1.3</c>; <see langword="null"/> without.</summary>
    public virtual string? TlsVersion => null;

    public override bool HasTls => TlsVersion is not null;

    /// <summary>Whether it came through the HTTP pipeline.</summary>
    public virtual bool IsInPipeline => false;

    /// <summary>What lines and spans tell of it.</summary>
    public virtual ClientFacts Facts => new(ConnectionId, Tuple, Lane, Info.Scheme, TlsVersion, IsInPipeline);

    /// <summary>
    /// Fires when the client's connection has ended, cleanly or not. Relevant until the tunnel is established: a client that ends its connection
    /// before the 101 no longer wants a WebSocket. A tunnel reads the client's end from its stream.
    /// </summary>
    public abstract CancellationToken Left { get; }

    /// <summary>
    /// Whether <see cref="Left"/> has fired for the application's time-out: the client is still there, and gets what the application says.
    /// </summary>
    public virtual bool IsTimedOut => false;

    /// <summary>
    /// Sends the verified 101, followed by the bytes that the backend sent right after it; from then on the client's bytes belong to the tunnel.
    /// </summary>
    /// <returns>
    /// <see langword="false"/> if the client's server has reached its limit of upgraded connections; nothing was sent then, and the client must be
    /// refused.
    /// </returns>
    public abstract ValueTask<bool> AcceptAsync(ResponseHead answer, ReadOnlyMemory<byte> afterHead);

    /// <summary>Sends a local reply.</summary>
    public abstract ValueTask RefuseAsync(Refusal refusal);

    /// <summary>Passes on a response other than 101, with its body; the connection is closed after it.</summary>
    public abstract ValueTask PassAsync(ResponseHead answer, AnswerBody body, CancellationToken cancellationToken);
}

/// <summary>A client, and how it is connected to a backend.</summary>
/// <typeparam name="TConnection">The type of its lane's connections to backends.</typeparam>
internal abstract class ClientLeg<TConnection> : ClientLeg
    where TConnection : BackendConnection
{
    /// <summary>Connects to backends for this client, in its lane's way.</summary>
    public abstract IBackendConnector<TConnection> Connector { get; }

    /// <summary>
    /// After <see cref="ClientLeg.AcceptAsync"/>: joins both connections into a tunnel, and takes over the backend's connection and lease. Completes
    /// when the tunnel has ended, or when it lives on elsewhere.
    /// </summary>
    public abstract Task RelayAsync(OpenedBackend<TConnection> opened, TunnelOptions options, TunnelTable tunnels);
}
