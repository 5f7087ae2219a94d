using System.Runtime.CompilerServices;
using StickyWs.Backends;
using StickyWs.Draining;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>The public view. It listens to the registry and to the tunnels only while somebody watches.</summary>
#pragma warning disable CA1001 // Nobody takes the wait handle of the semaphore, so it holds nothing.
internal sealed class StickyWsState(BackendRegistry registry, TunnelTable tunnels, Drains? drains = null) : IStickyWsState
#pragma warning restore CA1001
{
    // One look at all tunnels costs as much as there are. Whoever asks often, or with many requests at a time, waits for its turn.
    private const int LooksAtATime = 2;

    private static readonly TunnelFilter Any = new();

    private readonly StateReader _reader = new(registry, tunnels);

    private readonly SemaphoreSlim _looks = new(LooksAtATime);

    private TunnelSearch Search => new(_reader, tunnels);

    /// <summary>How many changes wait for a reader before it misses some. A test sets it.</summary>
    public int Capacity { get; init; } = 4096;

    public StateSnapshot Read() => _reader.Read();

    public Task<IReadOnlyList<TunnelStatus>> ReadTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default)
        => InTurnAsync(() => Search.ReadAsync(filter ?? Any, cancellationToken), cancellationToken);

    public Task<TunnelPage> FindTunnelsAsync(
        TunnelFilter? filter = null, TunnelOrder order = TunnelOrder.Oldest, string? after = null, CancellationToken cancellationToken = default)
    {
        var place = TunnelPlace.First;
        if (after is not null && !TunnelPlace.TryParse(after, out place)) throw new FormatException("This is no place of a page of tunnels.");
        return InTurnAsync(() => Search.FindAsync(filter ?? Any, order, place, cancellationToken), cancellationToken);
    }

    public async IAsyncEnumerable<StateChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var feed = new StateFeed(_reader, Capacity);
        registry.Changed += feed.Changed;
        if (drains is not null) drains.Ended += feed.Drained;
        tunnels.Opened += feed.Opened;
        tunnels.Ended += feed.Ended;
        try
        {
            feed.Begin(registry);
            while (true) yield return await feed.NextAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            registry.Changed -= feed.Changed;
            if (drains is not null) drains.Ended -= feed.Drained;
            tunnels.Opened -= feed.Opened;
            tunnels.Ended -= feed.Ended;
        }
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> look, CancellationToken cancellationToken)
    {
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
