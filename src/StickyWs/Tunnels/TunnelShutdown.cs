using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>
/// Ends the tunnels when the host stops: they get the host's shutdown time (<c>HostOptions.ShutdownTimeout</c>) to end by themselves, then they are
/// broken off. Kestrel stops before this does and waits in the same time, so that on a real server little is left to wait for. Tunnels
/// of an in-memory server, as <c>WebApplicationFactory</c> has, get no time.
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

    // What is broken off ends at once; this lets it be counted and logged before the services go.
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
        "The shutdown time is over: {Tunnels} tunnels were broken off",
        EventName = "TunnelsEndedAtShutdown")]
    private partial void LogEnded(int tunnels);

    [LoggerMessage(EventIds.TunnelsLeftAtShutdown, LogLevel.Warning,
        "{Tunnels} tunnels did not end although they were broken off",
        EventName = "TunnelsLeftAtShutdown")]
    private partial void LogLeft(int tunnels);
}
