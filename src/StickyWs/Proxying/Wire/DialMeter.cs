using StickyWs.Dialing;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Proxying;

/// <summary>Measures the connects of the HTTP clients.</summary>
internal sealed class DialMeter(StickyWsMetrics metrics, TimeProvider time, RawLane? lane = null)
{
    /// <summary>Wraps a connect callback with measurement.</summary>
    public Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> Over(
        Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect)
        => (context, cancellationToken) => ConnectAsync(connect, context, cancellationToken);

    private async ValueTask<Stream> ConnectAsync(
        Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect,
        SocketsHttpConnectionContext context,
        CancellationToken cancellationToken)
    {
        // Read now, because the request may have moved to another backend when this ends.
        var backend = context.InitialRequestMessage.Options.TryGetValue(ProxiedRequest.Key, out var request) ? request.Backend : null;
        var startedAt = time.GetTimestamp();
        string? errorType = null;
        try
        {
            return await connect(context, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            errorType = DialError.TypeOf(e);
            throw;
        }
        finally
        {
            var name = lane is { IsOn: true } ? LaneNames.Raw : LaneNames.Portable;
            if (backend is not null) metrics.DialEnded(backend.Pool, backend.Name, name, errorType, time.GetElapsedTime(startedAt));
        }
    }
}
