using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Connections;

/// <summary>
/// A connection from its accept to where it goes: to a backend, to an answer of the balancer's own, or on to Kestrel. Released to Kestrel it is a feature
/// of the connection and carries the verdict, so that a second sniffer on the same listener adds nothing. It holds neither head nor decision.
/// </summary>
internal abstract class ConnectionArrival(ConnectionContext connection)
{
    /// <summary>What the connection turned out to be, once it was released.</summary>
    public Verdict Verdict { get; private set; }

    /// <summary>The connection's id, for the log.</summary>
    public string ConnectionId => connection.ConnectionId;

    /// <summary>The address at the other end; <see langword="null"/> where there is none (unix sockets).</summary>
    public abstract IPAddress? Peer { get; }

    /// <summary>Whether the bytes came inside TLS.</summary>
    public abstract bool IsHttps { get; }

    /// <summary>Whether a reactor's thread may be running this after a wait; it must not run the application's code.</summary>
    public virtual bool MayHoldReactor => false;

    protected ConnectionContext Connection => connection;

    /// <summary>Fires when the server stops and waits for no client any longer.</summary>
    protected CancellationToken Stopping => connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;

    /// <summary>The arrival of a connection: of its bare socket as long as it is one, else of its pipe.</summary>
    public static ConnectionArrival Of(ConnectionContext connection)
        => connection.Features.Get<IRawConnection>() is { } raw ? new RawArrival(connection, raw) : new PipedArrival(connection);

    /// <summary>Judges what has arrived already and consumes nothing.</summary>
    /// <returns>Whether that is enough.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract bool TryRead(ref Sniffer sniffer, out HeadResult result);

    /// <summary>Waits until enough has arrived, until the deadline, or until the server stops, and consumes nothing.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract ValueTask<HeadResult> ReadAsync(Sniffer sniffer, TimeSpan deadline, TimeProvider time);

    /// <summary>
    /// Takes a handshake to its backend. Completes when the client has its answer, when its tunnel has ended, or when the tunnel lives on elsewhere.
    /// </summary>
    public abstract Task ForwardAsync(RequestHead head, Decision decision, SniffingServices services);

    /// <summary>Answers in the balancer's own name and closes so that the client can read the answer.</summary>
    public abstract ValueTask RefuseAsync(Refusal refusal, TimeProvider time);

    /// <summary>Makes an ordinary connection of it for the next middleware, with every byte in place.</summary>
    public ConnectionContext Release(Verdict verdict)
    {
        Verdict = verdict;
        var ordinary = Realize();
        var gate = new HalfCloseGate(ordinary.ConnectionClosed);
        ordinary.ConnectionClosed = gate.ConnectionClosed;
        ordinary.Features.Set(gate);
        ordinary.Features.Set(this);
        ordinary.Features.Get<ConnectionShare>()?.Decide();
        return ordinary;
    }

    protected virtual ConnectionContext Realize() => connection;
}
