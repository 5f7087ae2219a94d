namespace StickyWs.Draining;

/// <summary>
/// Takes backends out of service and brings them back, at run time: a singleton of the application's services once
/// <c>AddStickyWebSocketBalancing</c> was called. All members may be called from any thread.
/// </summary>
/// <remarks>
/// <para>
/// A command is in force when the call returns, for this process and until it ends. It outlives reloads of the configuration, except one that changes
/// the <c>Mode</c> (or <c>Enabled</c>) of the same backend: the last word counts. Backends that are added later, or get another address, have what the
/// configuration says.
/// </para>
/// <para>
/// Every verb includes those before it, may follow any other, and changes nothing where it is in force already: a second hand-off neither restarts nor
/// doubles the first. The returned task is for waiting only. It completes when each of the backends has no tunnel and no plain request left, all at the
/// same time, or is in service again, with one status for each; cancelling it ends the wait, not the drain. To cancel a drain, call <see cref="Undrain"/>, or
/// <see cref="StopAsync"/> to keep new work away only.
/// </para>
/// </remarks>
public interface IBackendControl
{
    /// <summary>
    /// Stops: no new work, except of clients that are pinned to the backend by affinity. Tunnels stay open, so this may wait for long.
    /// </summary>
    /// <param name="target">Which backends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such backend.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended; if the token was cancelled before the call, nothing was done.</exception>
    Task<IReadOnlyList<DrainStatus>> StopAsync(BackendTarget target, CancellationToken cancellationToken = default);

    /// <summary>
    /// Hands off: tunnels are told to go (a Close frame), spread over a time, the longest idle first; pins to the backend no longer count. What is
    /// left at the deadline is aborted.
    /// </summary>
    /// <param name="target">Which backends. Each hands off by itself, all at the same time.</param>
    /// <param name="settings">How; <see langword="null"/> for what the pools' options say (<c>Drain</c>).</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such backend, or a setting is out of its range.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended; if the token was cancelled before the call, nothing was done.</exception>
    Task<IReadOnlyList<DrainStatus>> HandOffAsync(
        BackendTarget target, HandOffSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Cuts: aborts the tunnels that are left, at once. Plain requests under way end by themselves.</summary>
    /// <param name="target">Which backends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">There is no such backend.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended; if the token was cancelled before the call, nothing was done.</exception>
    Task<IReadOnlyList<DrainStatus>> CutAsync(BackendTarget target, CancellationToken cancellationToken = default);

    /// <summary>
    /// Brings back into service, at once. Goodbyes that were not said yet are not said. A backend that was removed from the configuration is stopped
    /// instead.
    /// </summary>
    /// <param name="target">Which backends.</param>
    /// <exception cref="ArgumentException">There is no such backend.</exception>
    void Undrain(BackendTarget target);

    /// <summary>
    /// Changes the weights of backends, at once. As a mode does, a weight outlives reloads of the configuration, except one that changes the <c>Weight</c> of
    /// the same backend. Tunnels stay where they are. Clients that are led by hashing move with their shares.
    /// </summary>
    /// <param name="target">Which backends.</param>
    /// <param name="weight">From 1 to 256; <see langword="null"/> for what the configuration says.</param>
    /// <exception cref="ArgumentException">There is no such backend.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="weight"/> is out of its range.</exception>
    void SetWeight(BackendTarget target, int? weight);

    /// <summary>
    /// Reads how far drains are: of those that drain now, by order or by configuration, and of those that were removed and still hold something.
    /// </summary>
    /// <param name="target">Which backends; <see langword="null"/> for all.</param>
    IReadOnlyList<DrainStatus> Read(BackendTarget? target = null);

    /// <summary>Waits until backends are empty, or in service (again), whoever drains them.</summary>
    /// <param name="target">Which backends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>One status for each; of a backend that was not draining at all, one with <see cref="DrainOutcome.Undrained"/>.</returns>
    /// <exception cref="ArgumentException">There is no such backend.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    Task<IReadOnlyList<DrainStatus>> WhenEmptyAsync(BackendTarget target, CancellationToken cancellationToken = default);
}
