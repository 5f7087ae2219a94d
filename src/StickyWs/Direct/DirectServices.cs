using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Health;
using StickyWs.Observability;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>What all exchanges of the direct lane share.</summary>
internal sealed class DirectServices(
    BackendRegistry registry,
    Dispatcher dispatcher,
    IOutcomeSink outcomes,
    StickyWsMetrics metrics,
    FailureLog failures,
    ShortageLog shortages,
    Accounts accounts,
    ProcessReadiness readiness,
    IOptions<KestrelServerOptions> kestrel,
    TimeProvider time,
    ILogger<DirectLane> logger,
    RawBackendTls backendTls,
    DescriptorBudget? budget = null)
{
    private volatile Tuple<RegistrySnapshot, DirectLimits>? _limits;
    private volatile Tuple<RegistrySnapshot, bool>? _has;

    public BackendRegistry Registry => registry;

    public Dispatcher Dispatcher => dispatcher;

    public IOutcomeSink Outcomes => outcomes;

    public StickyWsMetrics Metrics => metrics;

    public FailureLog Failures => failures;

    public ShortageLog Shortages => shortages;

    public Accounts Accounts => accounts;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    public DescriptorBudget? Budget => budget;

    public RawBackendTls BackendTls => backendTls;

    /// <summary>Whether the process is on its way out: connections end with their next answer.</summary>
    public bool IsLeaving => readiness.IsLeaving;

    /// <summary>Whether there is a direct pool.</summary>
    public bool HasPools
    {
        get
        {
            var snapshot = registry.Current;
            if (_has is { } has && ReferenceEquals(has.Item1, snapshot)) return has.Item2;
            var found = snapshot.PoolsInUse.Any(IsDirect);
            _has = Tuple.Create(snapshot, found);
            return found;
        }
    }

    public DirectLimits Limits
    {
        get
        {
            var snapshot = registry.Current;
            if (_limits is { } limits && ReferenceEquals(limits.Item1, snapshot)) return limits.Item2;
            var fresh = DirectLimits.Of(kestrel.Value.Limits, snapshot.Options.MaxHeadBytes, snapshot.Options.HeadDeadline);
            _limits = Tuple.Create(snapshot, fresh);
            return fresh;
        }
    }

    /// <summary>Whether a pool's requests may be exchanged directly.</summary>
    public bool IsDirect(PoolSnapshot pool) => pool.Options.Http == HttpMode.Direct && ObstacleOf(pool) is null;

    /// <summary>Why the requests of a direct pool pass the pipeline all the same; <see langword="null"/> if they do not.</summary>
    public string? ObstacleOf(PoolSnapshot pool) => pool switch
    {
        { HasTls: true } when !backendTls.IsOn => "it has https backends, and TLS to them is not done in the raw lane",
        { Options.HttpVersion: BackendHttpVersion.Http2 } => "its HttpVersion is Http2",
        _ when dispatcher.MayWait(pool) => "what its affinity rules learn is in a shared store",
        _ => null,
    };
}
