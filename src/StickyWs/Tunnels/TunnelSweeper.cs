using Microsoft.Extensions.Hosting;

namespace StickyWs.Tunnels;

/// <summary>
/// Ends the tunnels of the portable lane that were idle for longer than their pool allows, and those of both lanes that were open for longer, checking
/// every second. The raw lane has its own sweep for idle ones.
/// </summary>
internal sealed class TunnelSweeper(TunnelTable tunnels, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false)) tunnels.EndOverdue();
        }
        catch (OperationCanceledException)
        {
            // The host is stopping.
        }
    }
}
