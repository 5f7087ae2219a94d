using System.Diagnostics;
using System.Net;
using StickyWs.Backends;
using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Access;

/// <summary>Gives handshakes an account of what happens to them, if somebody wants to know: a line, spans, both, or a look at the process.</summary>
internal sealed class Accounts(AccessLog log, Tracer tracer, Attention attention, TimeProvider time)
{
    /// <summary>Whether somebody wants to know. If not, a handshake costs these three looks.</summary>
    public bool IsWanted => tracer.HasListeners || log.HasTunnels || attention.IsPaid;

    /// <summary>Whether plain requests have lines.</summary>
    public bool HasRequests => log.HasRequests;

    /// <summary>Whether somebody looks at the process: then refusals of plain requests have lines that nobody logs, and times are taken.</summary>
    public bool IsWatched => attention.IsPaid;

    /// <summary>Whether somebody listens to the traces of requests that the pipeline does not see.</summary>
    public bool HasListeners => tracer.HasListeners;

    /// <summary>Begins the spans of a request that the pipeline does not see, if <see cref="HasListeners"/>.</summary>
    /// <returns><see langword="null"/> if no listener wants them.</returns>
    public RequestSpans? BeginSpans(in ClientFacts client, RequestHead head, in RequestFacts request, string pool, IPAddress? forwarded)
        => RequestSpans.Begin(log, tracer, time, client, head, request, pool, forwarded);

    /// <summary>Takes the line of something that has ended.</summary>
    public void Write(AccessLine line) => log.Write(line);

    /// <summary>Begins the account of a handshake that was routed. In the async flow of the handshake, whose current span it becomes.</summary>
    /// <param name="client">The client.</param>
    /// <param name="head">Its request; <see langword="null"/> where TLS is passed through.</param>
    /// <param name="choice">Its pool.</param>
    public HandshakeAccount Begin(in ClientFacts client, RequestHead? head, BackendChoice choice)
    {
        var account = new HandshakeAccount(log, tracer, time, client, head, choice) { IsKept = attention.IsPaid };
        if (tracer.HasListeners) account.BeginSpan();
        return account;
    }

    /// <summary>A handshake of the pipeline was refused before a backend was chosen.</summary>
    /// <param name="client">The client.</param>
    /// <param name="choice">Its pool.</param>
    /// <param name="request">Its request.</param>
    /// <param name="status">What it got.</param>
    public void Refused(in ClientFacts client, BackendChoice choice, in RequestFacts request, int status)
    {
        var isLogged = log.HasTunnels;
        if (!isLogged && !attention.IsPaid) return;
        log.Write(new AccessLine
        {
            Event = AccessEvent.Handshake,
            IsLogged = isLogged,
            Client = client.Tuple,
            Pool = choice.Pool.Name,
            Lane = client.Lane,
            TlsVersion = client.TlsVersion,
            Status = status,
            Outcome = "Refused",
            TraceId = HandshakeAccount.IdOf(Activity.Current),
            ConnectionId = client.ConnectionId,
            Method = request.Method,
            Host = request.Host,
            Path = request.Path,
        });
    }
}
