using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Health;

/// <summary>
/// Keeps the breakers and one probe loop per probed backend in step with the registry. A backend that remains keeps its loop and its streaks,
/// whatever else changes; so does a draining one, so that its health is known when it returns to service.
/// </summary>
/// <remarks>
/// The host's start waits until the first probe of every enabled backend has ended, for each at most as long as that probe's time-out: an application
/// that accepts earlier would answer its first requests with 503, because a backend that was never probed gets no work. The registry must be filled
/// before this starts.
/// </remarks>
#pragma warning disable CA2213 // The source holds only memory, and a host may be stopped while its services are being disposed.
internal sealed partial class HealthMonitor(
    BackendRegistry registry,
    BreakerBoard board,
    IProbeFactory probes,
    TimeProvider time,
    StickyWsMetrics metrics,
    ILoggerFactory loggers) : IHostedService, IDisposable
#pragma warning restore CA2213
{
    // The registry calls under its lock, and more often than the configuration changes: only the fact that something changed is handed over.
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly ILogger _logger = loggers.CreateLogger<HealthMonitor>();
    private readonly Dictionary<Backend, ProbeLoop> _loops = [];
    private readonly CancellationTokenSource _stop = new();
    private long[] _followed = [];
    private Task _following = Task.CompletedTask;
    private CancellationToken _stopping;

    /// <summary>The source of jitter: numbers from 0 to 1. Tests replace it.</summary>
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _stopping = _stop.Token;
        registry.Changed += OnChanged;
        await FollowAsync(registry.Current).ConfigureAwait(false);
        ProbeLoop[] first = [.. _loops.Where(loop => !loop.Key.IsDraining).Select(loop => loop.Value)];
        _following = Task.Run(FollowChangesAsync, CancellationToken.None);
        await Task.WhenAll(first.Select(loop => loop.WaitForFirstAsync(cancellationToken))).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        registry.Changed -= OnChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        // Servers stop first and may have used up the shutdown time-out: the loops then end in the background.
        var ended = EndAllAsync();
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken)).ConfigureAwait(false);
    }

    public void Dispose()
    {
        // A host whose start failed is disposed without a stop; others may be stopped again after or during this.
        registry.Changed -= OnChanged;
        _stop.Cancel();
    }

    private void OnChanged(RegistrySnapshot snapshot) => _changes.Writer.TryWrite(true);

    private async Task FollowChangesAsync()
    {
        try
        {
            await foreach (var _ in _changes.Reader.ReadAllAsync(_stopping).ConfigureAwait(false)) await TryFollowAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // StopAsync.
        }
    }

    private async Task TryFollowAsync()
    {
        try
        {
            await FollowAsync(registry.Current).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            LogFollowFailed(e);
        }
    }

    private async Task FollowAsync(RegistrySnapshot snapshot)
    {
        // A mere state change keeps the revision, and is of no interest here.
        if (_followed.SequenceEqual(snapshot.RevisionsInUse)) return;
        _followed = [.. snapshot.RevisionsInUse];
        board.Apply(snapshot);
        var gone = _loops.Keys.ToHashSet();
        var seen = new HashSet<Backend>();
        foreach (var pool in snapshot.PoolsInUse)
        {
            Backend[] own = [.. pool.Backends.Where(seen.Add)]; // The newest configuration decides how a backend is probed.
            if (own.Length == 0 || probes.Create(pool.Options) is not { } probe) continue;
            var pipeline = new ProbePipeline(probe, pool.Options, time);
            foreach (var backend in own)
            {
                gone.Remove(backend);
                Follow(backend, pipeline);
            }
        }

        foreach (var backend in gone) await EndAsync(backend).ConfigureAwait(false);
    }

    private void Follow(Backend backend, ProbePipeline pipeline)
    {
        if (_loops.TryGetValue(backend, out var loop))
        {
            loop.Configure(pipeline);
            return;
        }

        _loops[backend] = loop = new ProbeLoop(backend, board, time, metrics, Random, loggers.CreateLogger<ProbeLoop>(), _stopping);
        loop.Configure(pipeline);
        board.Follow(backend, loop);
        loop.Start();
    }

    private async Task EndAllAsync()
    {
        await _following.ConfigureAwait(false);
        await Task.WhenAll(_loops.Values.Select(loop => loop.StopAsync())).ConfigureAwait(false);
    }

    private async Task EndAsync(Backend backend)
    {
        if (!_loops.Remove(backend, out var loop)) return;
        board.Unfollow(backend);
        await loop.StopAsync().ConfigureAwait(false);
        loop.Dispose();
    }
}
