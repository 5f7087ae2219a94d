using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// Brings back a backend that traffic took out of a pool without probes. Where no connection came about, a connect of the balancer's own decides. Where connections were good and answers were not,
/// only a request can tell: one at a time is let through.
/// </summary>
internal sealed class Comeback(BackendBreaker breaker, Backend backend, TimeProvider time)
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(bool byConnect, TimeSpan longestRest, CancellationToken stop)
    {
        var rest = FirstRest;
        while (true)
        {
            await Task.Delay(rest, time, stop);
            if (backend.Health != BackendState.Unhealthy) return;
            if (!byConnect) backend.OfferTrial();
            else if (await breaker.Check.RunAsync(backend, stop))
            {
                await breaker.CloseAsync("traffic: a connect of the balancer's own was good");
                return;
            }

            rest = rest * 2 < longestRest ? rest * 2 : longestRest;
        }
    }
}
