using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// Brings back a backend that traffic took out of a pool without probes. Where no connection came about, a connect of the balancer's own decides.
/// Where connections were good and answers were not, only a request can tell: one at a time is let through. Nobody may hold that place for long, and
/// where no request comes that could take it, the backend is in use again.
/// </summary>
internal sealed class Comeback(BackendBreaker breaker, Backend backend, TimeProvider time)
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(bool byConnect, TimeSpan longestRest, CancellationToken stop)
    {
        var (rest, before) = (FirstRest, TrialState.None);
        while (true)
        {
            await Task.Delay(rest, time, stop);
            if (backend.Health != BackendState.Unhealthy) return;
            if (!byConnect)
            {
                // What stands as it stood is still the same, for it is offered here alone.
                var isSame = backend.Trial == before && rest == longestRest;
                if (isSame && before == TrialState.Offered)
                {
                    await breaker.CloseAsync("traffic: no request came that could try it");
                    return;
                }

                backend.OfferTrial(isSame ? before : TrialState.None);
                before = backend.Trial;
            }
            else if (await breaker.Check.RunAsync(backend, stop))
            {
                await breaker.CloseAsync("traffic: a connect of the balancer's own was good");
                return;
            }

            rest = rest * 2 < longestRest ? rest * 2 : longestRest;
        }
    }
}
