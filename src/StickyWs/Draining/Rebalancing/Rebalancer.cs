using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Health;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// Spreads the tunnels of pools again whose backends are unevenly used (<see cref="RebalanceOptions"/>): tells surplus tunnels to go, client by client,
/// the longest idle first, and has as many new sessions go to the emptiest backends. It costs nothing while no pool asks for it.
/// </summary>
internal sealed partial class Rebalancer : IHostedService, IDisposable
{
    /// <summary>The time between two steps.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    // How long a look at all tunnels of crowded backends serves; each is looked at again before it is told.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    // How often that is doubled, at most, where a look found nobody.
    private const int MostDoublings = 5;

    // The part of the process's MaxTunnels that must be free: a place that somebody leaves may be another's when he comes back.
    private const int LeastFreePart = 50;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Run> _runs = new(StringComparer.OrdinalIgnoreCase);
    private readonly BackendRegistry _registry;
    private readonly TunnelTable _tunnels;
    private readonly ProcessReadiness _readiness;
    private readonly StickyWsMetrics _metrics;
    private readonly ILogger<Rebalancer> _logger;
    private readonly ITimer _timer;
    private bool _isOn;
    private bool _isDisposed;
    private int _isStepping;

    public Rebalancer(
        BackendRegistry registry, TunnelTable tunnels, ProcessReadiness readiness, StickyWsMetrics metrics, ILogger<Rebalancer> logger)
    {
        (_registry, _tunnels, _readiness, _metrics, _logger) = (registry, tunnels, readiness, metrics, logger);
        _timer = tunnels.Time.CreateLasting(static own => _ = ((Rebalancer)own!).StepAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        registry.Changed += OnChanged;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _registry.Changed -= OnChanged;
        lock (_lock) _isDisposed = true;
        _timer.Dispose();
    }

    private static bool IsWanted(RegistrySnapshot snapshot) => snapshot.Pools.Any(pool => pool.Options.Rebalance.Rate is not null);

    // Under the registry's lock.
    private void OnChanged(RegistrySnapshot snapshot)
    {
        if (IsWanted(snapshot)) Switch(isOn: true);
    }

    private void Switch(bool isOn)
    {
        lock (_lock)
        {
            if (_isOn == isOn || _isDisposed) return;
            _isOn = isOn;
            var interval = isOn ? Interval : Timeout.InfiniteTimeSpan;
            _timer.Change(interval, interval);
        }
    }

    // One that takes long is not overtaken by the next.
    private async Task StepAsync()
    {
        if (Interlocked.Exchange(ref _isStepping, 1) != 0) return;
        try
        {
            await StepAllAsync(_registry.Current).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Nobody waits for this; the next step comes.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Try(() => LogFailed(e));
        }
        finally
        {
            Volatile.Write(ref _isStepping, 0);
        }
    }

    private async Task StepAllAsync(RegistrySnapshot snapshot)
    {
        if (!IsWanted(snapshot))
        {
            Switch(isOn: false);
            if (IsWanted(_registry.Current)) Switch(isOn: true); // It came in between.
        }

        var pools = snapshot.Pools.Where(pool => pool.Options.Rebalance.Rate is not null || _runs.ContainsKey(pool.Name)).ToArray();
        foreach (var name in _runs.Keys.Except(pools.Select(pool => pool.Name), StringComparer.OrdinalIgnoreCase).ToArray())
        {
            if (_runs.Remove(name, out var gone) && gone.State.Close()) Try(() => LogEnded(name, gone.State.Told, gone.State.Lost));
        }

        foreach (var pool in pools)
        {
            if (!_runs.TryGetValue(pool.Name, out var run)) _runs[pool.Name] = run = new Run(new PoolRebalance(_tunnels.Time));
            var mayTell = snapshot.Before is null && !_readiness.IsLeaving && HasPlaces(snapshot);
            var (crowded, left) = run.State.Step(pool, mayTell, _tunnels.Holds, out var ended);
            if (ended) Try(() => LogEnded(pool.Name, run.State.Told, run.State.Lost));
            foreach (var (backend, surplus) in crowded)
            {
                if (left > 0) left -= await TellAsync(run, pool, backend, Math.Min(surplus, left)).ConfigureAwait(false);
            }

            if (run.State.Surplus == 0) run.Clear();
            if (pool.Options.Rebalance.Rate is not null) continue;
            run.State.Close();
            _runs.Remove(pool.Name);
        }
    }

    private bool HasPlaces(RegistrySnapshot snapshot)
        => snapshot.Options.MaxTunnels is not { } most || most - _registry.Tunnels.Count > most / LeastFreePart;

    /// <returns>How many were told.</returns>
    private async Task<int> TellAsync(Run run, PoolSnapshot pool, Backend backend, int count)
    {
        var options = pool.Options.Rebalance;
        var resting = await FindAsync(run, backend, count, options).ConfigureAwait(false);
        if (resting.Length == 0 || !IsCurrent(pool)) return 0;
        var told = 0;
        var isFirst = !run.State.IsRunning;
        var goodbye = new Goodbye((ushort)options.CloseCode, options.CloseReason, EndReason.Rebalanced, pool.Options.Drain.CloseTimeout);
        foreach (var tunnel in resting)
        {
            if (tunnel.WasTold || !_tunnels.Holds(tunnel)) continue;
            tunnel.WasTold = true;
            if (options.Pinned) tunnel.Release();
            run.State.NoteTold(tunnel, pool);
            NoteOne(run.ToldOf, tunnel);
            told++;
            _metrics.Rebalanced(backend.Pool, backend.Name);
            if (isFirst) Try(() => LogBegun(pool.Name, run.State.Surplus));
            isFirst = false;
            Try(() => tunnel.Say(goodbye));
        }

        return told;
    }

    // While tunnels were looked at, another backend may have gone.
    private bool IsCurrent(PoolSnapshot pool)
        => _registry.Current is { Before: null } now
            && now.Pools.FirstOrDefault(one => one.Name.Equals(pool.Name, StringComparison.OrdinalIgnoreCase)) is { IsPanicking: false } current
            && current.Eligible.SequenceEqual(pool.Eligible);

    private async Task<Tunnel[]> FindAsync(Run run, Backend backend, int count, RebalanceOptions options)
    {
        var now = _tunnels.Now;
        if (!run.Resting.TryGetValue(backend, out var found) || _tunnels.Time.GetElapsedTime(found.At, now) >= LookInterval * (1 << found.Vain))
        {
            var all = _tunnels.Find(tunnel => tunnel.Backend == backend && MayGo(tunnel, options), int.MaxValue);
            var resting = new Queue<Tunnel>(InTurn(await LookAsync(all, options).ConfigureAwait(false), run.ToldOf));
            run.Resting[backend] = found = (now, resting.Count > 0 ? 0 : Math.Min(found.Vain + 1, MostDoublings), resting);
        }

        List<Tunnel> next = [];
        while (next.Count < count && found.Tunnels.TryDequeue(out var tunnel))
        {
            if (MayGo(tunnel, options)) next.Add(tunnel);
        }

        return next.Count == 0 ? [] : await LookAsync(next, options).ConfigureAwait(false);
    }

    // The client of which fewest were told has the next turn, the longest idle among equals: nobody is to lose all of his tunnels while others keep
    // theirs, and one that does not come back with many of them is no reason to stop.
    private static IEnumerable<Tunnel> InTurn(Tunnel[] resting, Dictionary<UInt128, int> toldOf)
    {
        Dictionary<UInt128, int> turns = new(toldOf);
        return resting.Select(tunnel => (Tunnel: tunnel, Turn: NoteOne(turns, tunnel))).OrderBy(one => one.Turn).Select(one => one.Tunnel);
    }

    private static int NoteOne(Dictionary<UInt128, int> counts, Tunnel tunnel)
    {
        var client = Suspicion.KeyOf(tunnel.ClientAddress);
        return counts[client] = counts.GetValueOrDefault(client) + 1;
    }

    private Task<Tunnel[]> LookAsync(IReadOnlyList<Tunnel> tunnels, RebalanceOptions options)
        => Idleness.FindRestingAsync(tunnels, options.MinimumIdle, _tunnels.Time, e => Try(() => LogFailed(e)));

    private static bool MayGo(Tunnel tunnel, RebalanceOptions options)
        => tunnel is { WasTold: false, HasFrames: true }
            && (tunnel.Tie == ClientTie.None || (options.Pinned && tunnel.Tie == ClientTie.Pinned));

    // One tunnel's trouble, or the log's, must not keep the others.
    private void Try(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogDefect(e);
        }
    }

    /// <summary>What goes on in one pool.</summary>
    private sealed record Run(PoolRebalance State)
    {
        /// <summary>Of crowded backends: the tunnels that may be told, as they were looked at last, when that was, and how many looks were in vain.</summary>
        public Dictionary<Backend, (long At, int Vain, Queue<Tunnel> Tunnels)> Resting { get; } = [];

        /// <summary>How many tunnels were told of which client, by its address.</summary>
        public Dictionary<UInt128, int> ToldOf { get; } = [];

        /// <summary>Nobody is to be told any more.</summary>
        public void Clear()
        {
            Resting.Clear();
            ToldOf.Clear();
        }
    }
}
