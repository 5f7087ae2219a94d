using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.State;

namespace StickyWs.Hosting;

/// <summary>Metrics from the registry's existing state, read on collection: pools, backends, their counts, limits and weights. And its verdicts.</summary>
internal sealed partial class RegistryMetrics(StickyWsMetrics metrics, Pins pins, TimeProvider time, ILogger<RegistryMetrics> logger)
{
    private static readonly LeaseKind[] Kinds = Enum.GetValues<LeaseKind>();

    // What each backend was found to be last: a verdict may repeat another.
    private readonly ConditionalWeakTable<Backend, StrongBox<BackendState>> _judged = [];

    public void Observe(BackendRegistry registry)
    {
        ObserveWork(registry);
        ObserveLimits(registry);
        ObserveBackends(registry);
        ObservePools(registry);
        registry.Judged += OnJudged;
    }

    private void ObserveWork(BackendRegistry registry)
    {
        var meter = metrics.Meter;
        meter.CreateObservableUpDownCounter("stickyws.tunnels.active",
            () => Each(registry, backend => backend.ActiveTunnels), "{tunnel}", "Tunnels open or opening: handshakes in progress are included.");
        meter.CreateObservableUpDownCounter("stickyws.requests.active",
            () => Each(registry, backend => backend.ActiveRequests), "{request}", "Plain HTTP requests in progress.");
        meter.CreateObservableUpDownCounter("stickyws.handshakes.active",
            () => Each(registry, backend => backend.ActiveHandshakes), "{handshake}", "Handshakes in progress at a backend.");
        meter.CreateObservableUpDownCounter("stickyws.queue.length",
            () => OfLines(registry, (pool, kind) => pool.Lines.Of(kind).Count), "{request}", "Handshakes and requests that wait for a place at a backend.");
        meter.CreateObservableCounter("stickyws.tunnel.io", () => Bytes(registry), "By", "Bytes relayed.");
        meter.CreateObservableUpDownCounter("stickyws.pins", Pins, "{pin}", "Pins kept in this process.");
    }

    private void ObserveLimits(BackendRegistry registry)
    {
        var meter = metrics.Meter;
        meter.CreateObservableUpDownCounter("stickyws.tunnels.limit",
            () => Limits(registry, backend => backend.MaxTunnels), "{tunnel}",
            "The most tunnels that a backend may have (MaxTunnels). Absent without a limit.");
        meter.CreateObservableUpDownCounter("stickyws.handshakes.limit",
            () => Limits(registry, backend => backend.MaxHandshakes), "{handshake}",
            "The most handshakes that a backend may have in progress (MaxHandshakes). Absent without a limit.");
        meter.CreateObservableUpDownCounter("stickyws.requests.limit",
            () => Limits(registry, backend => backend.MaxRequests), "{request}",
            "The most requests that a backend may have in progress (MaxRequests). Absent without a limit.");
        meter.CreateObservableUpDownCounter("stickyws.queue.limit",
            () => OfLines(registry, (pool, _) => pool.Options.Queue.Length), "{request}", "How many may wait for a place at a backend (Queue:Length).");
    }

    private void ObserveBackends(BackendRegistry registry)
    {
        var meter = metrics.Meter;
        meter.CreateObservableGauge("stickyws.backend.state",
            () => States(registry, backend => backend.State, "stickyws.state"), "{backend}", "1 for the state that a backend is in, 0 for the others.");
        meter.CreateObservableGauge("stickyws.backend.state_age",
            () => Each(registry, backend => Math.Max(0, (time.GetUtcNow() - backend.StateSince).TotalSeconds)), "s",
            "For how long a backend has been in its state.");
        meter.CreateObservableGauge("stickyws.backend.mode",
            () => States(registry, backend => backend.Mode, "stickyws.mode"), "{backend}",
            "1 for the mode of a backend, which is how far it is drained, 0 for the others.");
        meter.CreateObservableGauge("stickyws.backend.breaker",
            () => States(registry, VitalsReader.BreakerOf, "stickyws.breaker.state"), "{backend}", "1 for the state of a backend's breaker, 0 for the others.");
        meter.CreateObservableGauge("stickyws.backend.eligible", () => Eligible(registry), "{backend}", "1 for a backend that gets new work, 0 for others.");
        meter.CreateObservableGauge("stickyws.backend.weight",
            () => Each(registry, backend => backend.Weight), "{share}", "The weight of a backend, as it is configured.");
        meter.CreateObservableGauge("stickyws.backend.effective_weight",
            () => Each(registry, backend => backend.EffectiveWeight), "{share}", "The weight that a backend has by now: in its slow start it is less.");
    }

    private void ObservePools(BackendRegistry registry)
    {
        var meter = metrics.Meter;
        meter.CreateObservableGauge("stickyws.pool.panicking",
            () => OfPools(registry, pool => pool.IsPanicking), "{pool}", "1 for a pool that uses backends that are not healthy, because none is.");
        meter.CreateObservableGauge("stickyws.pool.awaited",
            () => OfPools(registry, pool => pool.IsUnknown), "{pool}", "1 for a pool whose backends have not been probed yet.");
        meter.CreateObservableGauge("stickyws.configuration.revision",
            () => registry.Current.Revision, "{revision}", "Grows with every configuration that is applied.");
    }

    // Under the registry's lock, and the breaker's: an application's listener that throws, or takes its time, must keep no verdict from its effect.
    private void OnJudged(Backend backend)
    {
        var last = _judged.GetValue(backend, static _ => new StrongBox<BackendState>(BackendState.Unknown));
        if (last.Value == backend.Health) return;
        last.Value = backend.Health;
        var verdict = new Verdict(backend.Pool, backend.Name, backend.Health, FoundBy(backend.HealthCause));
        ThreadPool.UnsafeQueueUserWorkItem(static posted => posted.Metrics.Count(posted.Verdict), (Metrics: this, Verdict: verdict), preferLocal: false);
    }

    private void Count(Verdict verdict)
    {
        try
        {
            metrics.Judged(verdict.Pool, verdict.Backend, verdict.Health.ToString(), verdict.Source);
        }
#pragma warning disable CA1031 // The application's meter listener. On this thread its exception would end the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogDefect(e);
        }
    }

    private void LogDefect(Exception exception)
    {
        try
        {
            LogNotCounted(exception);
        }
#pragma warning disable CA1031
        catch (Exception)
#pragma warning restore CA1031
        {
            // The logger's trouble; there is nobody to tell.
        }
    }

    // A cause begins with who found it out.
    private static string FoundBy(string? cause) => cause switch
    {
        not null when cause.StartsWith("probe", StringComparison.Ordinal) => "probe",
        not null when cause.StartsWith("traffic raised", StringComparison.Ordinal) => "probe",
        not null when cause.StartsWith("traffic", StringComparison.Ordinal) => "traffic",
        _ => "configuration",
    };

    private Measurement<int>[] Pins() =>
    [
        new(pins.LearntCount, new KeyValuePair<string, object?>("stickyws.pin.kind", "learnt")),
        new(pins.HashedCount, new KeyValuePair<string, object?>("stickyws.pin.kind", "hashed")),
    ];

    private static IEnumerable<Backend> Backends(BackendRegistry registry) => registry.Current.Pools.SelectMany(pool => pool.Backends);

    private static IEnumerable<Measurement<T>> Each<T>(BackendRegistry registry, Func<Backend, T> value)
        where T : struct
        => Backends(registry).Select(backend => new Measurement<T>(value(backend), Tags(backend)));

    private static IEnumerable<Measurement<int>> Limits(BackendRegistry registry, Func<Backend, int?> limit)
        => from backend in Backends(registry)
           let most = limit(backend)
           where most is not null
           select new Measurement<int>(most.Value, Tags(backend));

    private static IEnumerable<Measurement<int>> OfLines(BackendRegistry registry, Func<PoolSnapshot, LeaseKind, int> value)
        => from pool in registry.Current.Pools
           from kind in Kinds
           select new Measurement<int>(value(pool, kind), StickyWsMetrics.Pool(pool.Name), StickyWsMetrics.Work(WaitingRoom.WordOf(kind)));

    private static IEnumerable<Measurement<int>> OfPools(BackendRegistry registry, Func<PoolSnapshot, bool> fits)
        => registry.Current.Pools.Select(pool => new Measurement<int>(fits(pool) ? 1 : 0, StickyWsMetrics.Pool(pool.Name)));

    private static IEnumerable<Measurement<int>> Eligible(BackendRegistry registry)
        => from pool in registry.Current.Pools
           from backend in pool.Backends
           select new Measurement<int>(pool.Eligible.Contains(backend) ? 1 : 0, Tags(backend));

    private static IEnumerable<Measurement<long>> Bytes(BackendRegistry registry)
        => Backends(registry).SelectMany(backend => new[]
        {
            new Measurement<long>(backend.BytesToBackend, [.. Tags(backend), new("stickyws.direction", "client->backend")]),
            new Measurement<long>(backend.BytesToClient, [.. Tags(backend), new("stickyws.direction", "backend->client")]),
        });

    private static IEnumerable<Measurement<int>> States<T>(BackendRegistry registry, Func<Backend, T> state, string tag)
        where T : struct, Enum
        => from backend in Backends(registry)
           let current = state(backend)
           from one in Enum.GetValues<T>()
           select new Measurement<int>(EqualityComparer<T>.Default.Equals(one, current) ? 1 : 0, [.. Tags(backend), new(tag, one.ToString())]);

    private static KeyValuePair<string, object?>[] Tags(Backend backend) => [StickyWsMetrics.Pool(backend.Pool), StickyWsMetrics.Backend(backend.Name)];

    [LoggerMessage(EventIds.VerdictNotCounted, LogLevel.Error,
        "A listener of the metrics failed for a verdict about a backend; the verdict has its effect all the same", EventName = "VerdictNotCounted")]
    private partial void LogNotCounted(Exception exception);

    private readonly record struct Verdict(string Pool, string Backend, BackendState Health, string Source);
}
