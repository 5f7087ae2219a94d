using Polly;
using Polly.Retry;
using Polly.Timeout;
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
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ProbeResult> RunAsync(Backend backend, CancellationToken cancellationToken)
    {
        try
        {
            await _pipeline.ExecuteAsync(static (state, token) => state._probe.ProbeAsync(state.backend, token), (_probe, backend), cancellationToken);
            return ProbeResult.Good;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(ProbeCause.Of(e), EvidenceOf(e));
        }
    }

    private static Evidence EvidenceOf(Exception failure) => failure switch
    {
        TimeoutRejectedException => Evidence.TimedOut,
        ProbeFailedException => Evidence.BadAnswer,
        _ => EvidenceExtensions.OfConnect(failure),
    };
}
