using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;

namespace StickyWs.Connections;

/// <summary>
/// The Kestrel connection middleware, and the whole story: look at the first request without consuming it. A WebSocket handshake that
/// belongs to a pool is routed once and becomes a tunnel; everything else goes on to Kestrel, untouched.
/// </summary>
internal sealed partial class SniffingMiddleware(ConnectionDelegate next, SniffingServices services)
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<SniffedFeature>() is { Verdict: not Verdict.Tls }) return next(connection);
        var sniffer = new Sniffer(services.Limits);
        HeadResult result;
        try
        {
            if (!HeadReader.TryRead(connection.Transport.Input, ref sniffer, out result)) return SniffAsync(connection, sniffer, result);
        }
        catch (IOException e)
        {
            LogConnectionFailed(services.Logger, connection.ConnectionId, e.Message); // Broken as soon as it was accepted.
            return Task.CompletedTask;
        }

        return result.Verdict == Verdict.WebSocket ? SniffAsync(connection, sniffer, result) : PassOn(connection, result.Verdict);
    }

    private async Task SniffAsync(ConnectionContext connection, Sniffer sniffer, HeadResult result)
    {
        try
        {
            if (result.Head is null)
                result = await HeadReader.ReadAsync(connection.Transport.Input, sniffer, services.Options.HeadDeadline, services.Time).ConfigureAwait(false);
            if (result.Outcome != HeadOutcome.Sniffed)
            {
                await RefuseSlowAsync(connection, result.Outcome).ConfigureAwait(false);
                return;
            }

            if (result.Verdict == Verdict.WebSocket && Decide(result.Head!) is { } decision)
            {
                var client = new RawClient(connection, result.Head!.Length);
                var forwarding = services.Forwarder.ForwardAsync(client, result.Head, decision);
                result = default; // An open tunnel must not keep its head alive.
                await forwarding.ConfigureAwait(false);
                return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            LogConnectionFailed(services.Logger, connection.ConnectionId, e.Message);
            return;
        }

        await PassOn(connection, result.Verdict).ConfigureAwait(false);
    }

    private Decision? Decide(RequestHead head) => services.Dispatcher.Decide(head.Host, head.Path, LeaseKind.Tunnel);

    private Task PassOn(ConnectionContext connection, Verdict verdict)
    {
        var gate = new HalfCloseGate(connection.ConnectionClosed);
        connection.ConnectionClosed = gate.ConnectionClosed;
        connection.Features.Set(gate);
        connection.Features.Set(new SniffedFeature(verdict));
        return next(connection);
    }

    private async ValueTask RefuseSlowAsync(ConnectionContext connection, HeadOutcome outcome)
    {
        LogHeadTimedOut(services.Logger, connection.ConnectionId, outcome);
        if (outcome == HeadOutcome.TimedOut) await new RawClient(connection, 0).RefuseAsync(Refusal.HeadTimedOut).ConfigureAwait(false);
    }
}
