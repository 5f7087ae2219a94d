using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Forwarding;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>
/// Ends the tunnels when the host stops: they get the host's shutdown time (<c>HostOptions.ShutdownTimeout</c>) to end by themselves, then they are
/// broken off. Kestrel stops before this does and waits in the same time, so that on a real server little is left to wait for.
/// </summary>
internal sealed partial class TunnelShutdown(TunnelTable tunnels, ILogger<TunnelShutdown> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        tunnels.BeginStop();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await tunnels.WhenEmptyAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LogEnded(tunnels.AbortAll(EndReason.Shutdown));
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(EventIds.TunnelsEndedAtShutdown, LogLevel.Information, "The shutdown time is over: {Tunnels} tunnels were broken off", EventName = "TunnelsEndedAtShutdown")]
    private partial void LogEnded(int tunnels);
}
