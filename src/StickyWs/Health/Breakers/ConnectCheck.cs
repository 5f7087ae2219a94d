using Polly;
using Polly.Timeout;
using StickyWs.Backends;

namespace StickyWs.Health;

/// <summary>
/// A connect of the balancer's own to a backend of a pool without probes, within the pool's connect time-out. It sends nothing but what TLS needs.
/// </summary>
internal sealed class ConnectCheck(IProbe connect, TimeSpan timeout, TimeProvider time)
{
    private readonly ResiliencePipeline _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddTimeout(new TimeoutStrategyOptions { Timeout = timeout })
        .Build();

    /// <returns>Whether the backend took the connection.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<bool> RunAsync(Backend backend, CancellationToken cancellationToken)
    {
        try
        {
            await _pipeline.ExecuteAsync(static (state, token) => state.connect.ProbeAsync(state.backend, token), (connect, backend), cancellationToken);
            return true;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return false; // Why it was taken out was logged, and every attempt would say the same again.
        }
    }
}
