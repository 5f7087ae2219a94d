using StickyWs.Draining;

namespace StickyWs.State;

/// <summary>
/// What the balancer knows, for pages, tools and tests: a singleton of the application's services once <c>AddStickyWebSocketBalancing</c> was called.
/// It costs nothing while nobody looks. Whoever looks, by any of these methods, lets the balancer keep more than it does otherwise, for five minutes.
/// </summary>
public interface IStickyWsState
{
    /// <summary>Reads pools and backends as they are at one moment. Cheap, and from any thread.</summary>
    StateSnapshot Read();

    /// <summary>
    /// Reads the backends that a command of <see cref="IBackendControl"/> is for. Besides those of the configuration these are the previous ones that serve
    /// while new ones are still to be probed, and removed ones that still hold something; so two may have the same name.
    /// </summary>
    /// <param name="target">Which backends.</param>
    IReadOnlyList<BackendStatus> ReadBackends(BackendTarget target);

    /// <summary>Reads open tunnels. Those of the raw lane are asked on their own threads, which costs each about a microsecond.</summary>
    /// <param name="filter">Which tunnels; <see langword="null"/> for all, as far as <see cref="TunnelFilter.Limit"/> goes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Those that fit, in no order.</returns>
    Task<IReadOnlyList<TunnelStatus>> ReadTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default);

    /// <summary>Reads open tunnels in an order, page by page. Unlike <see cref="ReadTunnelsAsync"/> it looks at all that fit, however few are shown.</summary>
    /// <param name="filter">Which tunnels; its limit is the length of a page.</param>
    /// <param name="order">The order.</param>
    /// <param name="after">Where to go on: <see cref="TunnelPage.Next"/> of the page before, in the same order.</param>
    /// <param name="isReversed">Whether the order is turned around.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The filter's pin is not hexadecimal.</exception>
    /// <exception cref="FormatException"><paramref name="after"/> comes from no page.</exception>
    Task<TunnelPage> FindTunnelsAsync(
        TunnelFilter? filter = null,
        TunnelOrder order = TunnelOrder.Oldest,
        string? after = null,
        bool isReversed = false,
        CancellationToken cancellationToken = default);

    /// <summary>Counts open tunnels by where they come from and where they lead.</summary>
    /// <param name="filter">Which tunnels; its limit is of no effect.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The filter's pin is not hexadecimal.</exception>
    Task<TunnelFlows> CountTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the last tunnels that ended, 1,000 at most, the newest first. They are kept from the first look on; while the access log for tunnels is on,
    /// as it is by default, from the start.
    /// </summary>
    IReadOnlyList<EndedTunnel> ReadEnds();

    /// <summary>
    /// Reads the last handshakes that ended without a tunnel, and plain requests that the balancer answered itself: 1,000 at most, the newest first. Those
    /// whose client left are not among them. Kept as <see cref="ReadEnds"/> says; plain requests from the first look on, or while they are logged.
    /// </summary>
    IReadOnlyList<RefusedRequest> ReadRefusals();

    /// <summary>
    /// Follows what happens: first a <see cref="SnapshotTaken"/>, then every change after it. A reader that is too slow is never waited for: it misses changes,
    /// and gets a new <see cref="SnapshotTaken"/> in their place.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration, with an <see cref="OperationCanceledException"/>.</param>
    IAsyncEnumerable<StateChange> WatchAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Follows the same without <see cref="TunnelOpened"/> and <see cref="TunnelEnded"/>: tunnels cost nothing then, and however many open and end, none of
    /// them makes the reader miss anything.
    /// </summary>
    /// <param name="cancellationToken">Ends the enumeration, with an <see cref="OperationCanceledException"/>.</param>
    IAsyncEnumerable<StateChange> WatchWithoutTunnelsAsync(CancellationToken cancellationToken = default);
}
