using Microsoft.Extensions.Hosting;
using StickyWs.Affinity;
using StickyWs.Backends;

namespace StickyWs.Hosting;

/// <summary>
/// Keeps the pins of open tunnels and requests alive: each is refreshed twice within the shortest pin lifetime of all pools, or every 16 s if that is
/// long.
/// </summary>
internal sealed class PinKeeper(AffinityServices services, BackendRegistry registry, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval(), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                await services.Open.KeepSomeAsync(stoppingToken).ConfigureAwait(false);
                if (Interval() is var interval && interval != timer.Period) timer.Period = interval;
            }
        }
        catch (OperationCanceledException)
        {
            // The host is stopping.
        }
    }

    private TimeSpan Interval()
    {
        var interval = Longest;
        foreach (var pool in registry.Current.Pools)
        {
            var own = pool.Options.Affinity.PinLifetime / (2 * OpenClaims.Parts);
            if (own < interval) interval = own;
        }

        return interval;
    }
}
