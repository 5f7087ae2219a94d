using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;

namespace StickyWs.Connections;

/// <summary>
/// The Kestrel connection middleware, and the whole story: look at the first request without consuming it. A WebSocket handshake that belongs to a pool
/// is routed once and becomes a tunnel; everything else goes on to Kestrel, untouched. How the bytes come is the arrival's business: on a bare socket,
/// which the tunnel takes (the raw lane), or through the connection's pipe (the portable lane).
/// </summary>
internal sealed partial class SniffingMiddleware(ConnectionDelegate next, SniffingServices services)
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        var isSniffed = connection.Features.Get<ConnectionArrival>() is { Verdict: not Verdict.Tls }; // What is inside TLS is to be seen yet.
        return isSniffed ? next(connection) : OnArrivalAsync(ConnectionArrival.Of(connection));
    }

    // Without a state machine where the bytes that have arrived already show that this is no handshake.
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

            // What comes next may be the application's code.
            if (arrival.MayHoldReactor) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            connection = arrival.Release(result.Verdict);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogConnectionFailed(services.Logger, arrival.ConnectionId, e.Message);
            return;
        }

        result = default; // Nor must a connection that was released.
        await next(connection).ConfigureAwait(false);
    }

    private ValueTask<Decision?> DecideAsync(ConnectionArrival arrival, RequestHead head)
        => services.Dispatcher.DecideAsync(head, arrival.Peer, arrival.IsHttps);
}
