using Polly;
using Polly.Timeout;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>A connect by the balancer to a backend of a pool without probes, within the pool's connect time-out. It sends only what TLS needs.</summary>
internal sealed class ConnectCheck(IProbe connect, TimeSpan timeout, TimeProvider time)
{
    private readonly ResiliencePipeline _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddTimeout(new TimeoutStrategyOptions { Timeout = timeout })
        .Build();

    /// <returns>Whether the backend accepted the connection.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<bool> RunAsync(Backend backend, CancellationToken cancellationToken)
    {
        try
        {
            var probing = _pipeline.ExecuteAsync(
                static (state, token) => state.connect.ProbeAsync(state.backend, token), (connect, backend), cancellationToken);
            await probing.ConfigureAwait(false);
            return true;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return false; // The reason it was taken out has been logged; every attempt would repeat it.
        }
    }
}
