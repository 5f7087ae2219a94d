using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Detection;
using StickyWs.Direct;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Connections;

/// <summary>
/// The Kestrel connection middleware: it looks at the first request without consuming it. A WebSocket handshake that belongs to a pool is routed once
/// and becomes a tunnel; everything else goes on to Kestrel, untouched. The arrival decides how bytes are read: from a bare socket, which the tunnel
/// takes over (the raw lane), or from the connection's pipe (the portable lane). Where pools have server names, a client that begins with TLS is asked for
/// its own first: TLS that is to be passed through becomes a tunnel as it is.
/// <para>
/// Plain clients go to the direct lane while there is a direct pool. One that asks for a WebSocket later comes back, and is looked at as at first.
/// </para>
/// <para>
/// Where it is the first middleware of an endpoint, it also serves the listener's connections before Kestrel knows of them
/// (<see cref="IArrivalService"/>). Then only what is left to Kestrel comes by here again.
/// </para>
/// </summary>
internal sealed partial class SniffingMiddleware(ConnectionDelegate next, SniffingServices services, EndpointTls tls = default, bool isFirst = false)
    : IArrivalService
{
    // Made once, not for each connection.
    private Func<ConnectionContext, Task>? _serve;

    private Func<ConnectionContext, Task> Next { get; } = new(next);

    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (connection is AdoptedConnection adopted) return adopted.StayAsync(); // Served already, by the sniffer of the listener that it came from.
        if (connection is not HostedConnection { Term: { } term, Movable: null } hosted) return SniffAsync(connection);
        // Perhaps under an earlier configuration.
        if (hosted.ServedBy is SniffingMiddleware judge) return MovableConnection.ServeAsync(hosted, term, judge.Next);
        if (hosted is not RawConnection { IsRaw: true } raw) return SniffAsync(connection);
        if (isFirst && !services.HasConnectionLimit) term.Service = this;
        return MovableConnection.ServeAsync(raw, term, _serve ??= SniffAsync);
    }

    public async ValueTask<bool> ServeAsync(RawConnection connection)
    {
        connection.ServedBy = this;
        return await JudgeAsync(new RawArrival(connection, connection)).ConfigureAwait(false) is not null;
    }

    private Task SniffAsync(ConnectionContext connection)
    {
        var isSniffed = connection.Features.Get<ConnectionArrival>() is { Verdict: not Verdict.Tls }; // The bytes inside TLS have not been seen yet.
        if (isSniffed) return Next(connection);
        var judging = JudgeAsync(ConnectionArrival.Of(connection));
        if (!judging.IsCompletedSuccessfully) return GoOnAsync(judging);
        return judging.Result is { } ordinary ? Next(ordinary) : Task.CompletedTask;
    }

    private async Task GoOnAsync(ValueTask<ConnectionContext?> judging)
    {
        if (await judging.ConfigureAwait(false) is not { } ordinary) return;
        // The next middleware may be application code, and this the thread of a reactor.
        if (ordinary is RawConnection) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await Next(ordinary).ConfigureAwait(false);
    }

    // The connection as the next middleware is to have it; null if it is over, or its tunnel lives on elsewhere. No state machine where the bytes that
    // have already arrived show that this is no handshake.
    private ValueTask<ConnectionContext?> JudgeAsync(ConnectionArrival arrival)
    {
        try
        {
            var sniffer = new Sniffer(services.Limits, readsHello: !arrival.IsHttps && services.Dispatcher.HasServerNames);
            var isRead = arrival.TryRead(ref sniffer, out var result);
            if (!isRead) return JudgeAsync(arrival, sniffer, null);
            if (result.Hello is not null || IsOurs(arrival, result.Verdict)) return JudgeAsync(arrival, default, result);
            if (IsDirect(arrival, result.Verdict)) return ServeDirectlyAsync(arrival);
            return ValueTask.FromResult<ConnectionContext?>(arrival.Release(result.Verdict));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            LogConnectionFailed(services.Logger, arrival.ConnectionId, e.Message); // Broken as soon as it was accepted.
            return default;
        }
    }

    private async ValueTask<ConnectionContext?> JudgeAsync(ConnectionArrival arrival, Sniffer sniffer, HeadResult? read)
    {
        try
        {
            var result = read ?? await arrival.ReadAsync(sniffer, services.Options.HeadDeadline, services.Time).ConfigureAwait(false);
            if (result.Outcome != HeadOutcome.Sniffed)
            {
                LogHeadTimedOut(services.Logger, arrival.ConnectionId, result.Outcome);
                if (result.Outcome == HeadOutcome.TimedOut) services.Metrics.Refused(pool: null, StickyWsMetrics.ConnectionWork, nameof(EventIds.HeadTimedOut));
                if (result is { Outcome: HeadOutcome.TimedOut, Verdict: not Verdict.Tls })
                    await arrival.RefuseAsync(Refusal.HeadTimedOut, services.Time).ConfigureAwait(false);
                return null;
            }

            if (result.Hello is { Fault: { } fault })
            {
                LogHelloRefused(services.Logger, arrival.ConnectionId, fault.Cause);
                services.Metrics.Refused(pool: null, StickyWsMetrics.ConnectionWork, nameof(EventIds.ClientHelloRefused));
                await arrival.RefuseAsync(fault.Alert, services.Time).ConfigureAwait(false);
                return null;
            }

            if (result.Hello is not null && await DecideAsync(arrival, result.Hello).ConfigureAwait(false) is { } pass)
            {
                var passing = arrival.PassThroughAsync(result.Hello.Length, pass, services);
                (read, result) = (null, default);
                await passing.ConfigureAwait(false);
                return null;
            }

            var isOurs = IsOurs(arrival, result.Verdict);
            if (isOurs && result.Verdict == Verdict.Tls)
            {
                var inside = arrival.Terminate(tls.Termination!, result.HoldsRecord);
                (read, result) = (null, default); // What is inside need not keep the hello.
                return await TerminateAsync(inside).ConfigureAwait(false);
            }

            if (isOurs && await DecideAsync(arrival, result.Head!).ConfigureAwait(false) is { } decision)
            {
                var forwarding = arrival.ForwardAsync(result.Head!, decision, services);
                (read, result) = (null, default); // An open tunnel must not keep its head alive.
                await forwarding.ConfigureAwait(false);
                return null;
            }

            if (!IsDirect(arrival, result.Verdict)) return arrival.Release(result.Verdict);
            (read, result) = (null, default);
            return await ServeDirectlyAsync(arrival).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogConnectionFailed(services.Logger, arrival.ConnectionId, e.Message);
            return null;
        }
    }

    // TLS ends here: the same again with what is inside.
    private async ValueTask<ConnectionContext?> TerminateAsync(TlsArrival inside)
    {
        using (inside)
        {
            try
            {
                if (!await inside.HandshakeAsync(services.Time).ConfigureAwait(false))
                {
                    LogTlsFailed(services.Logger, inside.ConnectionId, inside.FailureReason ?? "the client has left");
                    await inside.LingerAsync(services.Time).ConfigureAwait(false);
                    return null;
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                LogTlsFailed(services.Logger, inside.ConnectionId, e.Message);
                return null;
            }

            var ordinary = await JudgeAsync(inside, new Sniffer(services.Limits), null).ConfigureAwait(false);
            await inside.LingerAsync(services.Time).ConfigureAwait(false);
            return ordinary;
        }
    }

    private bool IsDirect(ConnectionArrival arrival, Verdict verdict)
        => verdict == Verdict.PlainHttp && (!tls.IsSpoken || arrival.IsHttps) && arrival.CanBeDirect && services.Direct.IsWanted;

    private async ValueTask<ConnectionContext?> ServeDirectlyAsync(ConnectionArrival arrival)
    {
        try
        {
            var departure = await arrival.ServeDirectlyAsync(services.Direct).ConfigureAwait(false);
            if (departure.Way == DepartureWay.None) return null;
            if (departure.Way == DepartureWay.ToKestrel) return arrival.Release(Verdict.PlainHttp);
            arrival.Return(departure);
            return await JudgeAsync(arrival).ConfigureAwait(false); // The same again, with a handshake for a first request.
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            LogConnectionFailed(services.Logger, arrival.ConnectionId, e.Message); // The kernel cannot watch another socket.
            return null;
        }
    }

    // Where TLS is spoken, nothing else is taken.
    private bool IsOurs(ConnectionArrival arrival, Verdict verdict) => verdict switch
    {
        Verdict.WebSocket => !tls.IsSpoken || arrival.IsHttps,
        Verdict.Tls => tls.Termination is not null && arrival.CanTerminate,
        _ => false,
    };

    private async ValueTask<Decision?> DecideAsync(ConnectionArrival arrival, ClientHello hello)
    {
        if (hello.ServerName is not { } name) return null;
        if (await services.Dispatcher.DecideAsync(name, arrival.Peer).ConfigureAwait(false) is not { } decision) return null;
        LogPassedThrough(services.Logger, arrival.ConnectionId, name, hello.Protocols, decision.Pool.Name);
        return decision;
    }

    private ValueTask<Decision?> DecideAsync(ConnectionArrival arrival, RequestHead head)
        => services.Dispatcher.DecideAsync(head, arrival.Peer, arrival.IsHttps);
}
