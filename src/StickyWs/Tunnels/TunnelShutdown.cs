using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>
/// Ends the tunnels when the host stops. They have the host's shutdown time (<c>HostOptions.ShutdownTimeout</c>) to end by themselves; then they are
/// aborted. Kestrel stops first and waits within the same time, so on a real server little is left to wait for. Tunnels of an in-memory server, such
/// as <c>WebApplicationFactory</c>'s, are aborted at once.
/// </summary>
internal sealed partial class TunnelShutdown(TunnelTable tunnels, TimeProvider time, ILogger<TunnelShutdown> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan LastWait = TimeSpan.FromSeconds(1);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        tunnels.BeginStop(cancellationToken);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        tunnels.AbortInMemory();
        try
        {
            await tunnels.WhenEmptyAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogEnded(tunnels.AbortAll(EndReason.Shutdown));
            await WaitForLastAsync().ConfigureAwait(false);
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Aborted tunnels end soon; wait until that is counted and logged, before the services are disposed.
    private async Task WaitForLastAsync()
    {
        using var timer = new CancellationTokenSource(LastWait, time);
        try
        {
            await tunnels.WhenEmptyAsync(timer.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogLeft(tunnels.Count);
        }
    }

    [LoggerMessage(EventIds.TunnelsEndedAtShutdown, LogLevel.Information,
        "The shutdown time is over: {Tunnels} tunnels were aborted",
        EventName = "TunnelsEndedAtShutdown")]
    private partial void LogEnded(int tunnels);

    [LoggerMessage(EventIds.TunnelsLeftAtShutdown, LogLevel.Warning,
        "{Tunnels} tunnels did not end although they were aborted",
        EventName = "TunnelsLeftAtShutdown")]
    private partial void LogLeft(int tunnels);
}
