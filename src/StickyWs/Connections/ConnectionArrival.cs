using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using StickyWs.Detection;
using StickyWs.Direct;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Tls;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Connections;

/// <summary>
/// A connection from its accept until its destination is known: a backend, a local reply, or Kestrel. Once released to Kestrel it is a feature of the
/// connection and carries the verdict, so that a second sniffer on the same listener does nothing. It holds neither head nor decision.
/// </summary>
internal abstract class ConnectionArrival(ConnectionContext connection) : IArrivalFeatures
{
    /// <summary>The verdict on the connection, once it was released.</summary>
    public Verdict Verdict { get; private set; }

    /// <summary>The connection's id, for the log.</summary>
    public string ConnectionId => connection.ConnectionId;

    /// <summary>The remote address; <see langword="null"/> where there is none (unix sockets).</summary>
    public abstract IPAddress? Peer { get; }

    /// <summary>Whether the connection uses TLS.</summary>
    public abstract bool IsHttps { get; }

    protected ConnectionContext Connection => connection;

    /// <summary>Fires when the server is stopping and no longer waits for clients. Kestrel says so by a feature, of the connections that it knows.</summary>
    protected CancellationToken Stopping => connection is RawConnection { HasFeatures: false }
        ? ListenerStopping
        : connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? ListenerStopping;

    /// <summary>Creates the arrival of a connection: on its socket as long as nothing has read from that, otherwise on its pipe.</summary>
    public static ConnectionArrival Of(ConnectionContext connection)
        => connection.Features.Get<IRawConnection>() is { } raw ? new RawArrival(connection, raw) : new PipedArrival(connection);

    /// <summary>Judges the bytes that have already arrived, and consumes nothing.</summary>
    /// <returns>Whether that is enough.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract bool TryRead(ref Sniffer sniffer, out HeadResult result);

    /// <summary>Waits until enough has arrived, the deadline passes, or the server stops. Consumes nothing.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract ValueTask<HeadResult> ReadAsync(Sniffer sniffer, TimeSpan deadline, TimeProvider time);

    /// <summary>
    /// Forwards a handshake to its backend. Completes when the client has its response, when its tunnel has ended, or when the tunnel lives on
    /// elsewhere.
    /// </summary>
    public abstract Task ForwardAsync(RequestHead head, Decision decision, SniffingServices services);

    /// <summary>Sends a local reply and closes the connection so that the client can read it.</summary>
    public abstract ValueTask RefuseAsync(Refusal refusal, TimeProvider time);

    /// <summary>Whether TLS can be ended on it.</summary>
    public virtual bool CanTerminate => false;

    /// <summary>Takes over a connection whose first bytes are TLS, to end it. Only if <see cref="CanTerminate"/>.</summary>
    /// <param name="tls">How to end it.</param>
    /// <param name="holdsRecord"><see cref="HeadResult.HoldsRecord"/></param>
    /// <returns>The arrival of what is inside.</returns>
    public virtual TlsArrival Terminate(TlsTermination tls, bool holdsRecord) => throw new NotSupportedException();

    /// <summary>Passes its TLS through to a backend. Only if its ClientHello was read. Completes as <see cref="ForwardAsync"/> does.</summary>
    /// <param name="helloLength">The length of the ClientHello.</param>
    /// <param name="decision">Where to.</param>
    /// <param name="services">The services.</param>
    public virtual Task PassThroughAsync(int helloLength, Decision decision, SniffingServices services) => throw new NotSupportedException();

    /// <summary>Tells a client that its ClientHello is refused, and closes the connection so that the client can read it. Only if it was read.</summary>
    public virtual ValueTask RefuseAsync(TlsAlert alert, TimeProvider time) => throw new NotSupportedException();

    /// <summary>Whether the direct lane can have it.</summary>
    public virtual bool CanBeDirect => false;

    /// <summary>Serves its plain requests in the direct lane. Only if <see cref="CanBeDirect"/>.</summary>
    /// <returns>How it has left the lane.</returns>
    /// <exception cref="IOException">The kernel cannot watch another socket.</exception>
    public virtual ValueTask<Departure> ServeDirectlyAsync(DirectLane lane) => throw new NotSupportedException();

    /// <summary>
    /// Takes back what the direct lane has left (<see cref="DepartureWay.ToTunnel"/>): it is as at first then, and the whole head of its handshake is there.
    /// </summary>
    public virtual void Return(Departure departure) => throw new NotSupportedException();

    /// <summary>Turns it into an ordinary connection for the next middleware, with every byte in place.</summary>
    public ConnectionContext Release(Verdict verdict)
    {
        Verdict = verdict;
        var ordinary = Realize();
        SetFeatures(ordinary);
        ordinary.Features.Get<ConnectionShare>()?.Decide();
        return ordinary;
    }

    /// <summary>The same for one to the app that stands for it: nobody is to look at it again.</summary>
    public void SetOn(ConnectionContext connection)
    {
        Verdict = Verdict.PlainHttp;
        SetFeatures(connection);
    }

    /// <summary>Sets what the next middlewares want to know.</summary>
    protected virtual void SetFeatures(ConnectionContext ordinary)
    {
        var gate = new HalfCloseGate(ordinary.ConnectionClosed);
        ordinary.ConnectionClosed = gate.ConnectionClosed;
        ordinary.Features.Set(gate);
        ordinary.Features.Set(this);
    }

    /// <summary>The same, of a connection that Kestrel does not know of.</summary>
    protected virtual CancellationToken ListenerStopping => default;

    protected virtual ConnectionContext Realize() => connection;
}
