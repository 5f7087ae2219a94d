using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Tests;

/// <summary>A state that counts who watches it, and tells what a test wants if it has no other behind it.</summary>
internal sealed class WatchedState : IStickyWsState
{
    private readonly ConcurrentDictionary<Channel<StateChange>, bool> _changes = new();
    private int _watches;
    private int _ofTunnels;

    public IStickyWsState? Inner { get; set; }

    /// <summary>How many watch now.</summary>
    public int Watches => Volatile.Read(ref _watches);

    /// <summary>What the watch fails with, once.</summary>
    public Exception? Defect { get; set; }

    public static StateSnapshot Empty { get; } = new() { At = DateTimeOffset.UnixEpoch, Revision = 1, Tunnels = 0, Pools = [] };

    /// <summary>How many of them watch tunnels.</summary>
    public int OfTunnels => Volatile.Read(ref _ofTunnels);

    /// <summary>Tells all who watch such changes.</summary>
    /// <param name="change">The change.</param>
    /// <param name="ofTunnels">Whether only those who watch tunnels are told.</param>
    public void Tell(StateChange change, bool ofTunnels = false)
    {
        foreach (var (changes, withTunnels) in _changes)
        {
            if (withTunnels || !(ofTunnels || change is TunnelOpened or TunnelEnded)) changes.Writer.TryWrite(change);
        }
    }

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

    public IAsyncEnumerable<StateChange> WatchAsync(CancellationToken cancellationToken = default) => WatchAsync(true, cancellationToken);

    public IAsyncEnumerable<StateChange> WatchWithoutTunnelsAsync(CancellationToken cancellationToken = default) => WatchAsync(false, cancellationToken);

    private async IAsyncEnumerable<StateChange> WatchAsync(bool withTunnels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var mine = Channel.CreateUnbounded<StateChange>();
        _changes[mine] = withTunnels;
        if (withTunnels) Interlocked.Increment(ref _ofTunnels);
        Interlocked.Increment(ref _watches);
        try
        {
            if (Defect is { } defect)
            {
                Defect = null;
                throw defect;
            }

            if (Inner is null) yield return new SnapshotTaken { At = DateTimeOffset.UnixEpoch, Snapshot = Empty, Missed = 0 };
            var changes = Inner is null ? mine.Reader.ReadAllAsync(cancellationToken)
                : withTunnels ? Inner.WatchAsync(cancellationToken) : Inner.WatchWithoutTunnelsAsync(cancellationToken);
            await foreach (var change in changes) yield return change;
        }
        finally
        {
            _changes.TryRemove(mine, out _);
            if (withTunnels) Interlocked.Decrement(ref _ofTunnels);
            Interlocked.Decrement(ref _watches);
        }
    }
}
