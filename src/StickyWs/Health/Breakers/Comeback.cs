using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// Brings back a backend that traffic took out of a pool without probes. If connects had failed, a connect by the balancer decides. If connects
/// succeeded and responses failed, only a request can tell: one at a time is let through. No request may hold that slot for long, and if no request
/// comes to take it, the backend is back in use.
/// </summary>
internal sealed class Comeback(BackendBreaker breaker, Backend backend, TimeProvider time)
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(bool byConnect, TimeSpan longestRest, CancellationToken stop)
    {
        var (rest, before) = (FirstRest, TrialState.None);
        while (true)
        {
            await Task.Delay(rest, time, stop).ConfigureAwait(false);
            if (backend.Health != BackendState.Unhealthy) return;
            if (!byConnect)
            {
                // An unchanged trial is the same one, because only this method offers it.
                var isSame = backend.Trial == before && rest == longestRest;
                if (isSame && before == TrialState.Offered)
                {
                    await breaker.CloseAsync("traffic: no request came that could try it").ConfigureAwait(false);
                    return;
                }

                backend.OfferTrial(isSame ? before : TrialState.None);
                before = backend.Trial;
            }
            else if (await breaker.Check.RunAsync(backend, stop).ConfigureAwait(false))
            {
                await breaker.CloseAsync("traffic: a connect of the balancer's own was good").ConfigureAwait(false);
                return;
            }
            else
            {
                breaker.Confirm();
            }

            rest = rest * 2 < longestRest ? rest * 2 : longestRest;
        }
    }
}
