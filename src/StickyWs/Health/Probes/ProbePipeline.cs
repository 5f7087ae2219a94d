using System.Globalization;
using Polly;
using Polly.Retry;
using Polly.Timeout;
using StickyWs.Backends;
using StickyWs.Configuration;

namespace StickyWs.Health;

/// <summary>A pool's probe with its time-out and, around that, its retries. Shared by all backends of the pool.</summary>
internal sealed class ProbePipeline
{
    private readonly IProbe _probe;
    private readonly ResiliencePipeline _pipeline;

    public ProbePipeline(IProbe probe, PoolOptions pool, TimeProvider time)
    {
        _probe = probe;
        Options = pool.Health.Probe ?? throw new ArgumentException("The pool is not probed.", nameof(pool));
        Identity = IdentityOf(pool);
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (Options.Retries > 0) builder.AddRetry(new RetryStrategyOptions { MaxRetryAttempts = Options.Retries, Delay = TimeSpan.Zero });
        _pipeline = builder.AddTimeout(Options.Timeout).Build();
    }

    public ProbeOptions Options { get; }

    /// <summary>Equal for two pipelines that probe alike.</summary>
    public string Identity { get; }

    /// <summary>Probes once.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<ProbeResult> RunAsync(Backend backend, CancellationToken cancellationToken)
    {
        try
        {
            var probing = _pipeline.ExecuteAsync(static (state, token) => state._probe.ProbeAsync(state.backend, token), (_probe, backend), cancellationToken);
            await probing.ConfigureAwait(false);
            return ProbeResult.Good;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(ProbeCause.Of(e), EvidenceOf(e));
        }
    }

    // A reload creates new options for every pool. Only a loop whose probe really changed probes at once; otherwise each reload would be a probe storm.
    private static string IdentityOf(PoolOptions pool)
    {
        var probe = pool.Health.Probe;
        object?[] common =
        [
            probe?.GetType().Name, probe?.Interval, probe?.Timeout, probe?.Rise, probe?.Fall, probe?.Retries, probe?.Jitter,
            pool.HttpVersion, pool.Tls.ServerName, pool.Tls.CaCertificateFile, pool.Tls.DangerousAcceptAnyCertificate,
        ];
        var own = probe switch
        {
            HttpProbeOptions http => [http.Path, http.Method, http.Host, http.ExpectedStatus, http.ExpectedBody, .. Lines(http.Headers)],
            TlsProbeOptions => [PassthroughRules.NameForProbe(pool)],
            WebSocketProbeOptions webSocket => [webSocket.Path, webSocket.Host, webSocket.Subprotocol, .. Lines(webSocket.Headers)],
            _ => Array.Empty<string?>(),
        };
        return string.Join('\n', common.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)).Concat(own));
    }

    private static IEnumerable<string> Lines(IDictionary<string, string> headers)
        => headers.OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase).Select(header => $"{header.Key}: {header.Value}");

    private static Evidence EvidenceOf(Exception failure) => failure switch
    {
        TimeoutRejectedException => Evidence.TimedOut,
        ProbeFailedException => Evidence.BadAnswer,
        _ => EvidenceExtensions.OfConnect(failure),
    };
}

/// <summary>The result of one probe.</summary>
/// <param name="Failure">Why it failed; <see langword="null"/> for success.</param>
/// <param name="Evidence">What the failure is evidence of.</param>
internal readonly record struct ProbeResult(string? Failure, Evidence Evidence)
{
    public static ProbeResult Good { get; } = new(null, Evidence.None);

    /// <summary>Whether it says nothing about the backend, because the balancer itself could not probe.</summary>
    public bool IsVoid => Evidence.IsOurs();
}
