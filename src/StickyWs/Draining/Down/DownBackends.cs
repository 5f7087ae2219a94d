using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// What becomes of the tunnels of backends that are down (<see cref="DownBackendBehavior"/>). Each verdict has its effect once, on the tunnels that are
/// open then; one that opens later is a sign of life.
/// </summary>
internal sealed partial class DownBackends : IHostedService, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Backend, Parting> _partings = [];
    private readonly BackendRegistry _registry;
    private readonly TunnelTable _tunnels;
    private readonly ILogger<DownBackends> _logger;
    private bool _isDisposed;

    public DownBackends(BackendRegistry registry, TunnelTable tunnels, ILogger<DownBackends> logger)
    {
        (_registry, _tunnels, _logger) = (registry, tunnels, logger);
        registry.Changed += OnChanged;
        registry.Judged += OnJudged;
    }

    /// <summary>The source of jitter: numbers from 0 to 1. Tests replace it.</summary>
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _registry.Changed -= OnChanged;
        _registry.Judged -= OnJudged;
        lock (_lock)
        {
            _isDisposed = true;
            foreach (var parting in _partings.Values) parting.Round?.Dispose();
            _partings.Clear();
        }
    }

    // Both under the registry's lock.
    private void OnChanged(RegistrySnapshot snapshot) => Post(Look);

    private void OnJudged(Backend backend) => Post(Look);

    private static void Post(Action work) => ThreadPool.UnsafeQueueUserWorkItem(static work => work(), work, preferLocal: false);

    // The wish of a pool as it is now: nobody is told to go who would find nothing, and whoever is handed off or cut is told by that.
    private static DownBackendBehavior WantedFor(Backend backend, PoolSnapshot pool) => backend switch
    {
        { IsHandedOff: true } => DownBackendBehavior.Keep,
        _ when !IsDown(backend) || pool.IsPanicking || pool.Eligible.Count == 0 => DownBackendBehavior.Keep,
        _ when pool.Eligible.Contains(backend) => DownBackendBehavior.Keep, // The snapshot is older than the verdict, and a look follows with the next.
        _ => backend.Options.OnDown,
    };

    // Whatever only clients saw is no verdict that ends the tunnels of others.
    private static bool IsDown(Backend backend) => backend is { Health: BackendState.Unhealthy, IsSuspended: false, IsHearsay: false };

    // As things are now, whoever asked for it: of several looks at once the last one sees the last change.
    private void Look()
    {
        List<Action> later = [];
        lock (_lock)
        {
            if (_isDisposed) return;
            var snapshot = _registry.Current;
            HashSet<Backend> known = [];
            foreach (var pool in snapshot.PoolsInUse)
            {
                foreach (var backend in pool.Backends.Where(known.Add)) Follow(backend, WantedFor(backend, pool), later);
            }

            // A removed backend gets no verdict any more: what was begun goes on.
            foreach (var gone in _partings.Keys.Where(backend => !known.Contains(backend) && backend.ActiveTunnels == 0).ToArray()) Forget(gone);
        }

        later.ForEach(action => Try(action));
    }

    private void Follow(Backend backend, DownBackendBehavior wanted, List<Action> later)
    {
        var parting = _partings.GetValueOrDefault(backend);
        if (wanted == (parting?.Behavior ?? DownBackendBehavior.Keep)) return;
        if (parting is not null)
        {
            Forget(backend);
            later.Add(() => SayBack(backend, parting));
        }

        if (wanted == DownBackendBehavior.Keep) return;
        var round = wanted == DownBackendBehavior.Goodbye ? NewRound(backend) : null;
        var next = _partings[backend] = new Parting(wanted, round);
        later.Add(round is null ? () => Cut(backend) : () => Begin(backend, next));
    }

    private void Forget(Backend backend)
    {
        if (_partings.Remove(backend, out var parting)) parting.Round?.Dispose();
    }

    private GoodbyeRound NewRound(Backend backend)
    {
        var goodbye = Goodbye.Of(backend.Options.Drain, EndReason.BackendDown);
        return new GoodbyeRound(_tunnels.Time, backend.Options.Drain.Over, tunnel => Tell(tunnel, goodbye), random: Random);
    }

    // It may be back, and the round not be stopped yet.
    private bool Tell(Tunnel tunnel, Goodbye goodbye)
    {
        if (!IsDown(tunnel.Backend) || tunnel.WasTold || !_tunnels.Holds(tunnel)) return false;
        tunnel.WasTold = true;
        return Try(() => tunnel.Say(goodbye));
    }

    private void SayBack(Backend backend, Parting parting)
    {
        if (parting is { IsSaid: true, Round: { } round }) LogBack(backend.Pool, backend.Name, round.Told);
    }

    private void Begin(Backend backend, Parting parting)
    {
        var tunnels = Open(backend, static tunnel => !tunnel.WasTold);
        if (tunnels.Length == 0) return;
        parting.IsSaid = true;
        Try(() => LogLeft(backend.Pool, backend.Name, tunnels.Length, backend.Options.Drain.Over));
        _ = PlanAsync(parting.Round!, tunnels);
    }

    private async Task PlanAsync(GoodbyeRound round, Tunnel[] tunnels)
    {
        try
        {
            round.Plan(await Idleness.SortAsync(tunnels, _tunnels.Time, e => Try(() => LogFailed(e))).ConfigureAwait(false));
        }
#pragma warning disable CA1031 // Nobody waits for this.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Try(() => LogFailed(e));
        }
    }

    private void Cut(Backend backend)
    {
        var tunnels = Open(backend, static _ => true);
        if (tunnels.Length == 0) return;
        var cut = 0;
        foreach (var tunnel in tunnels)
        {
            if (!IsDown(backend)) break; // Meanwhile it is back.
            cut++;
            Try(() => tunnel.Abort(EndReason.BackendDown));
        }

        if (cut > 0) Try(() => LogCut(backend.Pool, backend.Name, cut));
    }

    private Tunnel[] Open(Backend backend, Func<Tunnel, bool> fits) => _tunnels.Find(tunnel => tunnel.Backend == backend && fits(tunnel), int.MaxValue);

    /// <summary>What is done with a backend's tunnels since it is down.</summary>
    private sealed record Parting(DownBackendBehavior Behavior, GoodbyeRound? Round)
    {
        /// <summary>Whether there was anybody to tell, and a line said so.</summary>
        public bool IsSaid { get; set; }
    }
}
