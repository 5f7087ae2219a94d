using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Examples.RollingDeploy;

/// <summary>
/// The two halves of a replacement while clients are connected: bring the new backend in, see the old one out. This is what a deploy needs; all else in
/// this folder shows that clients hardly notice.
/// </summary>
internal sealed class Rollout(BackendList backends, IBackendControl control, IStickyWsState state)
{
    // For clients that are between two requests that belong together: a negotiation and its WebSocket.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Adds a backend. Completes when its first probe has passed and it gets new clients; until then nothing is sent to it. Cancelled, it is removed again.
    /// </summary>
    public async Task AddAsync(string pool, string name, string address, CancellationToken cancellation)
    {
        if (Read().All(backend => backend.Pool != pool)) throw new ArgumentException($"There is no pool {pool}.", nameof(pool));
        if (Find(pool, name) is not null) throw new ArgumentException($"There is a backend {pool}/{name} already.", nameof(name));
        backends.Add(pool, name, address);
        try
        {
            await foreach (var _ in state.WatchAsync(cancellation))
            {
                if (Find(pool, name) is { IsEligible: true, Mode: BackendMode.On }) return;
            }
        }
        catch (OperationCanceledException)
        {
            backends.Remove(pool, name);
            throw;
        }
    }

    /// <summary>
    /// Empties a backend and removes it. Completes when nobody is connected to it any more: now its process may end. Cancelled, the backend goes on
    /// emptying, and stays in the list.
    /// </summary>
    public async Task<DrainStatus> RemoveAsync(string pool, string name, CancellationToken cancellation)
    {
        var backend = BackendTarget.Of(pool, name);

        // No new clients. Those that are there stay, so this task is not awaited.
        _ = control.StopAsync(backend, CancellationToken.None);
        await Task.Delay(Settling, cancellation);

        // One after the other is told to go, over Drain:Over, by a Close frame; it comes back to another backend. Who has not left at Drain:Deadline is cut.
        var drains = await control.HandOffAsync(backend, cancellationToken: cancellation);
        backends.Remove(pool, name);
        return drains.Single();
    }

    public IReadOnlyList<BackendStatus> Read() => [.. state.Read().Pools.SelectMany(pool => pool.Backends)];

    private BackendStatus? Find(string pool, string name) => Read().FirstOrDefault(backend => backend.Pool == pool && backend.Name == name);
}
