using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>Connects to backends for exchanges that find no kept connection.</summary>
internal static class LinkOpener
{
    /// <summary>Connects, and tells the exchange on the reactor's thread; one that has ended meanwhile leaves the connection to the next.</summary>
    public static async Task OpenAsync(DirectDesk desk, DirectExchange exchange, uint ticket, PoolSnapshot pool, Backend backend)
    {
        var services = desk.Services;
        var startedAt = services.Time.GetTimestamp();
        Exception? failure = null;
        RawBackendConnection? connection = null;
        using var timer = new CancellationTokenSource(pool.Options.Timeouts.Connect, services.Time);
        try
        {
            services.Budget?.TakeForBackend();
            var connecting = new RawConnector(desk.Reactor, services.BackendTls).ConnectAsync(backend, pool.Options.Tls, timer.Token);
            connection = await DescriptorBudget.WatchAsync(services.Budget, connecting, isOpenAtOnce: backend.EndPoint is not null).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever it is, this attempt has failed; the exchange says so.
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }

        var errorType = failure is null ? null : DialError.TypeOf(failure);
        services.Metrics.DialEnded(backend.Pool, backend.Name, LaneNames.Raw, errorType, services.Time.GetElapsedTime(startedAt));
        await desk.Reactor.SwitchTo();
        BackendLink? link = null;
        try
        {
            if (connection is not null) link = Open(desk, backend, connection, ref failure);
        }
        catch (IOException e)
        {
            failure = e;
            connection!.Dispose();
        }

        Tell(desk, exchange, ticket, link, failure);
    }

    private static BackendLink? Open(DirectDesk desk, Backend backend, RawBackendConnection connection, ref Exception? failure)
    {
        var link = new BackendLink(desk, backend, connection);
        if (link.IsUsable) return link;
        failure = new IOException("The backend has sent something before a request, or has closed.");
        link.Close(isReset: true);
        return null;
    }

    private static void Tell(DirectDesk desk, DirectExchange exchange, uint ticket, BackendLink? link, Exception? failure)
    {
        try
        {
            if (exchange.Ticket == ticket) exchange.Opened(link, failure);
            else link?.Keep();
        }
#pragma warning disable CA1031 // A defect: it must end this exchange only.
        catch (Exception e)
#pragma warning restore CA1031
        {
            desk.Reactor.Failed(e);
            exchange.Client.Abort();
        }
    }
}
