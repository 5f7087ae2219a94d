using Polly;
using Polly.Retry;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>A pool's probe with its retries around its time-out. Serves all backends of the pool.</summary>
internal sealed class ProbePipeline
{
    private readonly IProbe _probe;
    private readonly ResiliencePipeline _pipeline;

    public ProbePipeline(IProbe probe, PoolOptions pool, TimeProvider time)
    {
        _probe = probe;
        Options = pool.Health.Probe ?? throw new ArgumentException("The pool is not probed.", nameof(pool));
        Identity = ProbeIdentity.Of(pool);
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (Options.Retries > 0) builder.AddRetry(new RetryStrategyOptions { MaxRetryAttempts = Options.Retries, Delay = TimeSpan.Zero });
        _pipeline = builder.AddTimeout(Options.Timeout).Build();
    }

    public ProbeOptions Options { get; }

    /// <summary>The same for two pipelines that probe alike.</summary>
    public string Identity { get; }

    /// <summary>Probes once.</summary>
    /// <returns>Why the probe failed; <see langword="null"/> when it was good.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<string?> RunAsync(Backend backend, CancellationToken cancellationToken)
    {
        try
        {
            await _pipeline.ExecuteAsync(static (state, token) => state._probe.ProbeAsync(state.backend, token), (_probe, backend), cancellationToken);
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeCause.Of(e);
        }
    }
}
