using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>
/// Suspects backends whose tunnels die young while those of their neighbours do not. What it says is evidence that clients may have caused, and is judged
/// as such: where the pool is probed, a probe is due at once, and only probes convict.
/// </summary>
/// <remarks>Reactors only count. What was counted is looked at on the thread pool, at most once a second for each backend.</remarks>
internal sealed partial class Outliers : IHostedService, IDisposable
{
    // The status code of a server that failed (RFC 6455 section 7.4.1).
    private const int InternalError = 1011;

    // How much worse than its neighbours it must be.
    private const int Contrast = 2;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LineInterval = TimeSpan.FromMinutes(1);

    private readonly ConditionalWeakTable<Backend, Record> _records = [];
    private readonly TunnelTable _tunnels;
    private readonly BackendRegistry _registry;
    private readonly IOutcomeSink _outcomes;
    private readonly StickyWsMetrics _metrics;
    private readonly ILogger<Outliers> _logger;
    private volatile bool _isDisposed;

    public Outliers(TunnelTable tunnels, BackendRegistry registry, IOutcomeSink outcomes, StickyWsMetrics metrics, ILogger<Outliers> logger)
    {
        (_tunnels, _registry, _outcomes, _metrics, _logger) = (tunnels, registry, outcomes, metrics, logger);
        tunnels.Opened += OnOpened;
        tunnels.Ended += OnEnded;
    }

    /// <summary>Runs work elsewhere than on a reactor. Tests replace it.</summary>
    public Action<Action> Post { get; init; } = static work => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _tunnels.Opened -= OnOpened;
        _tunnels.Ended -= OnEnded;
        _isDisposed = true;
    }

    private void OnOpened(Tunnel tunnel)
    {
        var options = tunnel.Backend.Options.Outliers;
        if (options.Enabled) Of(tunnel.Backend).Childhood.Opened(tunnel.ClientAddress, options.Window);
    }

    private void OnEnded(Tunnel tunnel)
    {
        var (backend, options) = (tunnel.Backend, tunnel.Backend.Options.Outliers);
        if (!options.Enabled || !backend.Options.Health.Passive.Enabled) return;
        if (_tunnels.Time.GetElapsedTime(tunnel.OpenedAt) >= options.Age || !IsItsFault(tunnel)) return;
        if (backend.IsDraining || backend.Health == BackendState.Unhealthy) return;
        var record = Of(backend);
        if (record.Childhood.Died(tunnel.ClientAddress, options.Window) < options.MinimumEnds || !record.TryClaimLook()) return;
        Post(() => _ = LookLaterAsync(backend, record));
    }

    // All that die until then are seen by one look; whoever dies after it has begun asks for the next.
    private async Task LookLaterAsync(Backend backend, Record record)
    {
        try
        {
            if (record.LookedAt is { } last && LookInterval - _tunnels.Time.GetElapsedTime(last) is { Ticks: > 0 } rest)
                await Task.Delay(rest, _tunnels.Time).ConfigureAwait(false);
            record.BeginLook(_tunnels.Now);
            if (!_isDisposed) Look(backend, record.Childhood);
        }
#pragma warning disable CA1031 // Nobody waits for this; the next end asks for another look.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(e, backend.Pool, backend.Name);
        }
    }

    private void Look(Backend backend, Childhood childhood)
    {
        var options = backend.Options.Outliers;
        if (!options.Enabled || backend.IsDraining || backend.Health == BackendState.Unhealthy) return;
        var own = childhood.Read(options.Window);
        if (IsOutlier(backend, own, options)) Suspect(backend, own, options);
    }

    private bool IsOutlier(Backend backend, in Mortality own, OutlierOptions options)
    {
        var leastClients = backend.Options.Health.Passive.MinimumClients;
        if (own.Ends < options.MinimumEnds || own.Witnesses < leastClients || own.Share < options.Share) return false;
        var pool = _registry.Current.PoolsInUse.FirstOrDefault(pool => pool.Backends.Contains(backend));
        if (pool is null) return false;
        var others = default(Mortality);
        HashSet<UInt128> clients = [];
        foreach (var other in pool.Backends)
        {
            if (other != backend && _records.TryGetValue(other, out var record)) others += record.Childhood.Read(options.Window, clients, leastClients);
        }

        // Without others to compare with, it may be what all clients of the pool do. One client that breaks tunnels elsewhere does not hide it.
        return clients.Count >= leastClients && own.Share >= others.Share * Contrast;
    }

    // From several clients at once, as many as a verdict without probes asks for.
    private void Suspect(Backend backend, in Mortality own, OutlierOptions options)
    {
        var record = Of(backend);
        var witnesses = record.Childhood.TakeWitnesses(backend.Options.Health.Passive.MinimumClients);
        _metrics.Suspected(backend.Pool, backend.Name);
        if (record.MaySay(_tunnels.Time)) LogSuspected(backend.Pool, backend.Name, own.Ends, own.Witnesses, options.Age, options.Window);
        foreach (var client in witnesses) _outcomes.Failed(backend, Suspicion.Of(Evidence.DiesYoung, client));
    }

    // A client that has said its Close may be left in any way. A FIN says something only where frames are followed: other protocols end by it.
    private static bool IsItsFault(Tunnel tunnel) => (tunnel.Farewell, tunnel.EndReason) switch
    {
        (Farewell.Client or Farewell.Both, _) => false,
        (Farewell.Backend, EndReason.BackendClosed or EndReason.BackendReset) => tunnel.BackendCloseCode == InternalError,
        (Farewell.None, EndReason.BackendClosed) => true,
        (_, EndReason.BackendReset or EndReason.BackendLost or EndReason.BackendTruncated or EndReason.BackendTlsFailed) => true,
        _ => false,
    };

    private Record Of(Backend backend) => _records.GetValue(backend, _ => new Record(_tunnels.Time));

    [LoggerMessage(EventIds.BackendSuspected, LogLevel.Warning,
        "Backend {Pool}/{Backend} is suspected: it broke off {Tunnels} tunnels of {Clients} clients within {Age} of their opening, all in the last {Window}",
        EventName = "BackendSuspected")]
    private partial void LogSuspected(string pool, string backend, int tunnels, int clients, TimeSpan age, TimeSpan window);

    [LoggerMessage(EventIds.OutliersFailed, LogLevel.Error, "The early ends of the tunnels of {Pool}/{Backend} could not be looked at",
        EventName = "OutliersFailed")]
    private partial void LogFailed(Exception exception, string pool, string backend);

    private sealed class Record(TimeProvider time)
    {
        private long _saidAt;
        private long _lookedAt;
        private int _isLookDue;

        public Childhood Childhood { get; } = new(time);

        /// <summary>When the last look began, as a timestamp; <see langword="null"/> before the first one.</summary>
        public long? LookedAt => Interlocked.Read(ref _lookedAt) is not 0 and var at ? at : null;

        /// <summary>Whether a look is to be asked for: none is due.</summary>
        public bool TryClaimLook() => Volatile.Read(ref _isLookDue) == 0 && Interlocked.Exchange(ref _isLookDue, 1) == 0;

        public void BeginLook(long now)
        {
            Interlocked.Exchange(ref _lookedAt, now);
            Interlocked.Exchange(ref _isLookDue, 0);
        }

        public bool MaySay(TimeProvider time)
        {
            var (now, last) = (time.GetTimestamp(), Interlocked.Read(ref _saidAt));
            return (last == 0 || time.GetElapsedTime(last, now) >= LineInterval) && Interlocked.CompareExchange(ref _saidAt, now, last) == last;
        }
    }
}
