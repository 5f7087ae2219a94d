using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Tunnels;

namespace StickyWs.Draining;

/// <summary>
/// The drains of all backends: each follows its backend's mode, whoever changed that. Exists before the registry is filled, as do all hosted services.
/// </summary>
internal sealed class Drains : IHostedService, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Backend, BackendDrain> _drains = [];
    private readonly Dictionary<Backend, DrainOptions> _settings = [];
    private readonly BackendRegistry _registry;
    private readonly TunnelTable _tunnels;
    private readonly ILogger<Drains> _logger;

    public Drains(BackendRegistry registry, TunnelTable tunnels, ILogger<Drains> logger)
    {
        (_registry, _tunnels, _logger) = (registry, tunnels, logger);
        registry.Turned += OnTurned;
        registry.Changed += OnChanged;
        tunnels.Opened += OnOpened;
    }

    /// <summary>Raised when a backend is empty, and when what was cut has ended. On the thread pool; handlers must be quick and must not throw.</summary>
    public event Action<DrainStatus>? Ended;

    /// <summary>The source of jitter: numbers from 0 to 1. Tests replace it.</summary>
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;

    /// <summary>Those that drain, the removed ones that still hold something included.</summary>
    public IReadOnlyList<Backend> Backends
    {
        get
        {
            lock (_lock) return [.. _drains.Keys];
        }
    }

    /// <summary>
    /// All that a command may be for, each once: those of the configuration, the previous ones that serve while new ones are still to be probed, and the
    /// removed ones that still hold something.
    /// </summary>
    public IEnumerable<Backend> Known => _registry.Current.PoolsInUse.SelectMany(pool => pool.Backends).Concat(Backends).Distinct();

    public BackendDrain? Find(Backend backend)
    {
        lock (_lock) return _drains.GetValueOrDefault(backend);
    }

    /// <summary>Sets how hand-offs of backends go that begin until the result is disposed. If <paramref name="settings"/> throws, nothing is set.</summary>
    public IDisposable Prefer(IReadOnlyCollection<Backend> backends, Func<Backend, DrainOptions> settings)
    {
        (Backend Backend, DrainOptions Options)[] wanted = [.. backends.Select(backend => (backend, settings(backend)))]; // All, or none if one throws.
        lock (_lock)
        {
            foreach (var (backend, options) in wanted) _settings[backend] = options;
        }

        return new Preference(this, backends);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _registry.Turned -= OnTurned;
        _registry.Changed -= OnChanged;
        _tunnels.Opened -= OnOpened;
        lock (_lock)
        {
            foreach (var drain in _drains.Values) drain.Dispose();
            _drains.Clear();
        }
    }

    // Under the registry's lock.
    private void OnTurned(Backend backend)
    {
        BackendDrain? drain;
        DrainOptions options;
        lock (_lock)
        {
            options = _settings.GetValueOrDefault(backend) ?? backend.Options.Drain;
            if (backend.IsDraining && !_drains.ContainsKey(backend)) _drains[backend] = Create(backend);
            drain = _drains.GetValueOrDefault(backend);
            if (!backend.IsDraining) _drains.Remove(backend);
        }

        drain?.Turn(options);
    }

    // Under the registry's lock. One that was empty before it was removed neither turns nor ends again.
    private void OnChanged(RegistrySnapshot snapshot)
    {
        lock (_lock)
        {
            if (_drains.Count == 0) return;
            HashSet<Backend> known = [.. snapshot.PoolsInUse.SelectMany(pool => pool.Backends)];
            foreach (var (backend, drain) in _drains.Where(drain => !known.Contains(drain.Key) && drain.Value.HasEnded).ToArray())
            {
                _drains.Remove(backend);
                drain.Dispose();
            }
        }
    }

    private BackendDrain Create(Backend backend)
    {
        var drain = new BackendDrain(backend, _tunnels, Random, _logger);
        drain.Ended += status =>
        {
            Ended?.Invoke(status);
            Forget(drain);
        };
        return drain;
    }

    // A removed backend that is empty is of no further interest.
    private void Forget(BackendDrain drain)
    {
        if (_registry.Current.PoolsInUse.Any(pool => pool.Backends.Contains(drain.Backend))) return;
        lock (_lock)
        {
            if (drain.HasEnded && _drains.Remove(drain.Backend)) drain.Dispose();
        }
    }

    // On the thread that moves the tunnel's bytes, which must be done with opening it first.
    private void OnOpened(Tunnel tunnel)
    {
        if (!tunnel.Backend.IsHandedOff || Find(tunnel.Backend) is not { } drain) return;
        ThreadPool.UnsafeQueueUserWorkItem(static late => late.drain.Opened(late.tunnel), (drain, tunnel), preferLocal: false);
    }

    private sealed class Preference(Drains drains, IReadOnlyCollection<Backend> backends) : IDisposable
    {
        public void Dispose()
        {
            lock (drains._lock)
            {
                foreach (var backend in backends) drains._settings.Remove(backend);
            }
        }
    }
}
