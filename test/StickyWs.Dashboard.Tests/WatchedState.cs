using System.Runtime.CompilerServices;
using System.Threading.Channels;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Tests;

/// <summary>A state that counts who watches it, and tells what a test wants if it has no other behind it.</summary>
internal sealed class WatchedState : IStickyWsState
{
    private readonly Channel<StateChange> _changes = Channel.CreateUnbounded<StateChange>();
    private int _watches;

    public IStickyWsState? Inner { get; set; }

    /// <summary>How many watch now.</summary>
    public int Watches => Volatile.Read(ref _watches);

    /// <summary>What the watch fails with, once.</summary>
    public Exception? Defect { get; set; }

    private static StateSnapshot Empty { get; } = new() { At = DateTimeOffset.UnixEpoch, Revision = 1, Tunnels = 0, Pools = [] };

    public void Tell(StateChange change) => _changes.Writer.TryWrite(change);

    public StateSnapshot Read() => Inner?.Read() ?? Empty;

    public IReadOnlyList<BackendStatus> ReadBackends(BackendTarget target) => Inner?.ReadBackends(target) ?? [];

    public Task<IReadOnlyList<TunnelStatus>> ReadTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default)
        => Inner!.ReadTunnelsAsync(filter, cancellationToken);

    public Task<TunnelPage> FindTunnelsAsync(
        TunnelFilter? filter = null,
        TunnelOrder order = TunnelOrder.Oldest,
        string? after = null,
        bool isReversed = false,
        CancellationToken cancellationToken = default)
        => Inner!.FindTunnelsAsync(filter, order, after, isReversed, cancellationToken);

    public Task<TunnelFlows> CountTunnelsAsync(TunnelFilter? filter = null, CancellationToken cancellationToken = default)
        => Inner!.CountTunnelsAsync(filter, cancellationToken);

    public IReadOnlyList<EndedTunnel> ReadEnds() => Inner?.ReadEnds() ?? [];

    public IReadOnlyList<RefusedRequest> ReadRefusals() => Inner?.ReadRefusals() ?? [];

    public async IAsyncEnumerable<StateChange> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _watches);
        try
        {
            if (Defect is { } defect)
            {
                Defect = null;
                throw defect;
            }

            if (Inner is null) yield return new SnapshotTaken { At = DateTimeOffset.UnixEpoch, Snapshot = Empty, Missed = 0 };
            var changes = Inner?.WatchAsync(cancellationToken) ?? _changes.Reader.ReadAllAsync(cancellationToken);
            await foreach (var change in changes) yield return change;
        }
        finally
        {
            Interlocked.Decrement(ref _watches);
        }
    }
}
