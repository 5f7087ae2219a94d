using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Reactors;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Connections;

/// <summary>
/// The Kestrel connection middleware, and the whole story: look at the first request without consuming it. A WebSocket handshake that
/// belongs to a pool is routed once and becomes a tunnel; everything else goes on to Kestrel, untouched. Where the connection is still a bare
/// socket the tunnel takes that (the raw lane); where it is not, the tunnel runs through the connection's pipe (the portable lane).
/// </summary>
internal sealed partial class SniffingMiddleware(ConnectionDelegate next, SniffingServices services)
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<SniffedFeature>() is { Verdict: not Verdict.Tls }) return next(connection);
        var raw = connection.Features.Get<IRawConnection>();
        var sniffer = new Sniffer(services.Limits);
        HeadResult result;
        try
        {
            var isDecided = raw is null ? HeadReader.TryRead(connection.Transport.Input, ref sniffer, out result) : HeadPeeker.TryRead(raw, ref sniffer, out result);
            if (!isDecided || result.Verdict == Verdict.WebSocket) return SniffAsync(connection, raw, sniffer, result);
            if (raw is not null) connection = raw.Realize();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            LogConnectionFailed(services.Logger, connection.ConnectionId, e.Message); // Broken as soon as it was accepted.
            return Task.CompletedTask;
        }

        return PassOn(connection, result.Verdict);
    }

    private async Task SniffAsync(ConnectionContext connection, IRawConnection? raw, Sniffer sniffer, HeadResult result)
    {
        try
        {
            if (result.Head is null) result = await ReadAsync(connection, raw, sniffer).ConfigureAwait(false);
            if (result.Outcome != HeadOutcome.Sniffed)
            {
                await RefuseSlowAsync(connection, raw, result.Outcome).ConfigureAwait(false);
                return;
            }

            if (result.Verdict == Verdict.WebSocket && await DecideAsync(connection, raw, result.Head!).ConfigureAwait(false) is { } decision)
            {
                var forwarding = ForwardAsync(connection, raw, result.Head!, decision);
                result = default; // An open tunnel must not keep its head alive.
                await forwarding.ConfigureAwait(false);
                return;
            }

            if (raw is not null)
            {
                // Behind a wait in the raw lane this is a reactor's thread, and what comes now may be the application's.
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                connection = raw.Realize();
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogConnectionFailed(services.Logger, connection.ConnectionId, e.Message);
            return;
        }

        await PassOn(connection, result.Verdict).ConfigureAwait(false);
    }

    private ValueTask<HeadResult> ReadAsync(ConnectionContext connection, IRawConnection? raw, Sniffer sniffer)
    {
        var deadline = services.Options.HeadDeadline;
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        return raw is null
            ? HeadReader.ReadAsync(connection.Transport.Input, sniffer, deadline, services.Time, stopping)
            : HeadPeeker.ReadAsync(raw, sniffer, deadline, services.Time, stopping);
    }

    private ValueTask<Decision?> DecideAsync(ConnectionContext connection, IRawConnection? raw, RequestHead head)
        => raw is null
            ? services.Dispatcher.DecideAsync(head, (connection.RemoteEndPoint as IPEndPoint)?.Address, connection.Features.Get<ITlsHandshakeFeature>() is not null)
            : services.Dispatcher.DecideAsync(head, raw.Tuple.SourceAddress, isHttps: false);

    // A tunnel to a backend that speaks TLS needs the runtime's streams, and so do both of its ends.
    private Task ForwardAsync(ConnectionContext connection, IRawConnection? raw, RequestHead head, Decision decision)
        => raw is null ? ForwardPortableAsync(connection, head, decision)
            : decision.Pool.HasTls ? ForwardRealizedAsync(raw, head, decision)
            : ForwardRawAsync(Detach(connection, raw, head.Length), head, decision);

    private async Task ForwardPortableAsync(ConnectionContext connection, RequestHead head, Decision decision)
    {
        var client = new SniffedClient(connection, head.Length);
        var forwarding = services.Forwarder.ForwardAsync(client, head, decision);
        (head, decision) = (null!, null!); // An open tunnel must not keep them alive.
        await forwarding.ConfigureAwait(false);
        await client.CloseAsync(services.Time).ConfigureAwait(false);
    }

    private async Task ForwardRealizedAsync(IRawConnection raw, RequestHead head, Decision decision)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Away from the reactor.
        await ForwardPortableAsync(raw.Realize(), head, decision).ConfigureAwait(false);
    }

    private async Task ForwardRawAsync(DetachedClient client, RequestHead head, Decision decision)
    {
        await client.Reactor.SwitchTo(); // Where the tunnel will live: from here on nothing crosses threads.
        await using (client.ConfigureAwait(false)) await services.Forwarder.ForwardAsync(client, head, decision).ConfigureAwait(false);
    }

    private DetachedClient Detach(ConnectionContext connection, IRawConnection raw, int headLength)
        => new(raw.Detach(), raw.Tuple, connection.ConnectionId, headLength, services.Time);

    private Task PassOn(ConnectionContext connection, Verdict verdict)
    {
        var gate = new HalfCloseGate(connection.ConnectionClosed);
        connection.ConnectionClosed = gate.ConnectionClosed;
        connection.Features.Set(gate);
        connection.Features.Set(new SniffedFeature(verdict));
        connection.Features.Get<ConnectionShare>()?.Decide();
        return next(connection);
    }

    private async ValueTask RefuseSlowAsync(ConnectionContext connection, IRawConnection? raw, HeadOutcome outcome)
    {
        LogHeadTimedOut(services.Logger, connection.ConnectionId, outcome);
        if (outcome != HeadOutcome.TimedOut) return;
        if (raw is null)
        {
            var portable = new SniffedClient(connection, 0);
            await portable.RefuseAsync(Refusal.HeadTimedOut).ConfigureAwait(false);
            await portable.CloseAsync(services.Time).ConfigureAwait(false);
            return;
        }

        var client = Detach(connection, raw, 0);
        await using (client.ConfigureAwait(false)) await client.RefuseAsync(Refusal.HeadTimedOut).ConfigureAwait(false);
    }
}
