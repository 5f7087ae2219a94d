using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;

namespace StickyWs.Connections;

/// <summary>
/// The Kestrel connection middleware: it looks at the first request without consuming it. A WebSocket handshake that belongs to a pool is routed once
/// and becomes a tunnel; everything else goes on to Kestrel, untouched. The arrival decides how bytes are read: from a bare socket, which the tunnel
/// takes over (the raw lane), or from the connection's pipe (the portable lane).
/// </summary>
internal sealed partial class SniffingMiddleware(ConnectionDelegate next, SniffingServices services)
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        var isSniffed = connection.Features.Get<ConnectionArrival>() is { Verdict: not Verdict.Tls }; // The bytes inside TLS have not been seen yet.
        return isSniffed ? next(connection) : OnArrivalAsync(ConnectionArrival.Of(connection));
    }

    // No state machine where the bytes that have already arrived show that this is no handshake.
    private Task OnArrivalAsync(ConnectionArrival arrival)
    {
        ConnectionContext connection;
        try
        {
            var sniffer = new Sniffer(services.Limits);
            if (!arrival.TryRead(ref sniffer, out var result) || result.Verdict == Verdict.WebSocket) return SniffAsync(arrival, sniffer, result);
            connection = arrival.Release(result.Verdict);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            LogConnectionFailed(services.Logger, arrival.ConnectionId, e.Message); // Broken as soon as it was accepted.
            return Task.CompletedTask;
        }

        return next(connection);
    }

    private async Task SniffAsync(ConnectionArrival arrival, Sniffer sniffer, HeadResult result)
    {
        ConnectionContext connection;
        try
        {
            if (result.Head is null) result = await arrival.ReadAsync(sniffer, services.Options.HeadDeadline, services.Time).ConfigureAwait(false);
            if (result.Outcome != HeadOutcome.Sniffed)
            {
                LogHeadTimedOut(services.Logger, arrival.ConnectionId, result.Outcome);
                if (result.Outcome == HeadOutcome.TimedOut) await arrival.RefuseAsync(Refusal.HeadTimedOut, services.Time).ConfigureAwait(false);
                return;
            }

            if (result.Verdict == Verdict.WebSocket && await DecideAsync(arrival, result.Head!).ConfigureAwait(false) is { } decision)
            {
                var forwarding = arrival.ForwardAsync(result.Head!, decision, services);
                result = default; // An open tunnel must not keep its head alive.
                await forwarding.ConfigureAwait(false);
                return;
            }

            // The next middleware may be application code.
            if (arrival.MayHoldReactor) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            connection = arrival.Release(result.Verdict);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogConnectionFailed(services.Logger, arrival.ConnectionId, e.Message);
            return;
        }

        result = default; // Nor may a released connection.
        await next(connection).ConfigureAwait(false);
    }

    private ValueTask<Decision?> DecideAsync(ConnectionArrival arrival, RequestHead head)
        => services.Dispatcher.DecideAsync(head, arrival.Peer, arrival.IsHttps);
}
