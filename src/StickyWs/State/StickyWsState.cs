using System.Runtime.CompilerServices;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>The public view. It listens to the registry and to the tunnels only while somebody watches.</summary>
#pragma warning disable CA1001 // Nobody takes the wait handle of the semaphore, so it holds nothing. Who looks last lets the timer of the attention rest.
internal sealed class StickyWsState : IStickyWsState
#pragma warning restore CA1001
{
    // One look at all tunnels costs as much as there are. Whoever asks often, or with many requests at a time, waits for its turn.
    private const int LooksAtATime = 2;

    private static readonly TunnelFilter Any = new();

    private readonly BackendRegistry _registry;
    private readonly TunnelTable _tunnels;
    private readonly Drains? _drains;
    private readonly Attention _attention;
    private readonly RecentLines _recent;
    private readonly StateReader _reader;
    private readonly TunnelRates _rates;
    private readonly SemaphoreSlim _looks = new(LooksAtATime);

    public StickyWsState(
        BackendRegistry registry,
        TunnelTable tunnels,
        Drains? drains = null,
        Attention? attention = null,
        RecentLines? recent = null,
        RawLane? lane = null)
    {
        (_registry, _tunnels, _drains) = (registry, tunnels, drains);
        (_attention, _recent) = (attention ?? new Attention(tunnels.Time), recent ?? new RecentLines(tunnels.Time));
        (_reader, _rates) = (new StateReader(registry, tunnels, lane), new TunnelRates(tunnels));
        _attention.Begun += () => tunnels.Ended += OnEnded;
        _attention.Lapsed += OnLapsed;
    }

    private IEnumerable<Backend> KnownBackends => _drains?.Known ?? _registry.Current.PoolsInUse.SelectMany(pool => pool.Backends).Distinct();

    private TunnelSearch Search => new(_reader, _tunnels, _rates);

    /// <summary>How many changes wait for a reader before it misses some. A test sets it.</summary>
    public int Capacity { get; init; } = 4096;

    public StateSnapshot Read()
    {
        Look();
        return _reader.Read();
    }

    public IReadOnlyList<BackendStatus> ReadBackends(BackendTarget target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Look();
        var pools = _registry.Current.PoolsInUse.ToArray();
        return [.. KnownBackends.Where(target.Includes).Select(backend => StateReader.Read(backend, PoolOf(backend)))];

        PoolSnapshot? PoolOf(Backend backend) => Array.Find(pools, pool => pool.Backends.Contains(backend));
    }

    public Task<IReadOnlyList<TunnelStatus>> ReadTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default)
        => InTurnAsync(() => Search.ReadAsync(filter ?? Any, cancellationToken), cancellationToken);

    public Task<TunnelPage> FindTunnelsAsync(
        TunnelFilter? filter = null,
        TunnelOrder order = TunnelOrder.Oldest,
        string? after = null,
        bool isReversed = false,
        CancellationToken cancellationToken = default)
    {
        TunnelPlace? place = null;
        if (after is not null) place = TunnelPlace.TryParse(after, out var last) ? last : throw new FormatException("This is no place of a page of tunnels.");
        return InTurnAsync(() => Search.FindAsync(filter ?? Any, order, place, isReversed, cancellationToken), cancellationToken);
    }

    public Task<TunnelFlows> CountTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default)
        => InTurnAsync(() => Search.CountAsync(filter ?? Any, cancellationToken), cancellationToken);

    public IReadOnlyList<EndedTunnel> ReadEnds()
    {
        Look();
        return [.. _recent.ReadEnds().Select(LineReader.ReadEnd)];
    }

    public IReadOnlyList<RefusedRequest> ReadRefusals()
    {
        Look();
        return [.. _recent.ReadRefusals().Select(LineReader.ReadRefusal)];
    }

    public IAsyncEnumerable<StateChange> WatchAsync(CancellationToken cancellationToken = default) => WatchAsync(withTunnels: true, cancellationToken);

    public IAsyncEnumerable<StateChange> WatchWithoutTunnelsAsync(CancellationToken cancellationToken = default)
        => WatchAsync(withTunnels: false, cancellationToken);

    private async IAsyncEnumerable<StateChange> WatchAsync(bool withTunnels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var feed = new StateFeed(_reader, Capacity);
        _attention.BeginWatch();
        Look();
        _recent.Refused += feed.Refused;
        _registry.Changed += feed.Changed;
        if (_drains is not null) _drains.Ended += feed.Drained;
        if (withTunnels) _tunnels.Opened += feed.Opened;
        if (withTunnels) _tunnels.Ended += feed.Ended;
        try
        {
            feed.Begin(_registry);
            while (true) yield return await feed.NextAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _attention.EndWatch();
            _recent.Refused -= feed.Refused;
            _registry.Changed -= feed.Changed;
            if (_drains is not null) _drains.Ended -= feed.Drained;
            _tunnels.Opened -= feed.Opened;
            _tunnels.Ended -= feed.Ended;
        }
    }

    // What backends do is counted from the first look on.
    private void Look()
    {
        do
        {
            _attention.Look();
            foreach (var pool in _registry.Current.Pools)
            {
                foreach (var backend in pool.Backends) backend.Watch(_tunnels.Time);
            }
        }
        while (!_attention.IsPaid); // It lapsed meanwhile, and would leave what was begun after that to count on.
    }

    private void OnEnded(Tunnel tunnel)
    {
        if (tunnel.Record is null) _recent.Add(LineReader.LineOf(tunnel, _tunnels.Time));
    }

    private void OnLapsed()
    {
        _tunnels.Ended -= OnEnded;
        _rates.Clear();
        foreach (var backend in KnownBackends) backend.Unwatch();
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> look, CancellationToken cancellationToken)
    {
        Look();
        await _looks.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await look().ConfigureAwait(false);
        }
        finally
        {
            _looks.Release();
        }
    }
}
