using StickyWs.Backends;
using StickyWs.State;
using StickyWs.Tests.Backends;
using StickyWs.Tunnels;

namespace StickyWs.Tests.State;

public sealed class StickyWsStateTests : IDisposable
{
    private readonly StateRig _rig = new(Fleet.Options(2, 1));
    private readonly StickyWsState _state;

    public StickyWsStateTests() => _state = new StickyWsState(_rig.Registry, _rig.Tunnels) { Capacity = 4 };

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Read_ShowsPoolsAndBackends_WithStateCauseAndSince()
    {
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        _rig.Registry.Report(_rig.Backend("b"), BackendState.Unhealthy, "probe: status 500");
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));

        var pool = Assert.Single(_state.Read().Pools);

        Assert.Equal((Fleet.Pool, "RoundRobin", false, false), (pool.Name, pool.Policy, pool.IsPanicking, pool.IsAwaited));
        Assert.Equal([("a", BackendState.Unknown, null, true, 2), ("b", BackendState.Unhealthy, "probe: status 500", false, 1)],
            pool.Backends.Select(backend => (backend.Name, backend.State, backend.Cause, backend.IsEligible, backend.Weight)));
        Assert.Equal(TimeSpan.FromMinutes(1), _rig.Clock.GetUtcNow() - pool.Backends[1].Since);
        Assert.Equal(TimeSpan.FromMinutes(2), _rig.Clock.GetUtcNow() - pool.Backends[0].Since);
    }

    [Fact]
    public async Task Watch_BeginsWithASnapshot_AndTellsEachChangeOfABackendOnce()
    {
        await using var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        Assert.Equal(0, (await NextAsync<SnapshotTaken>(watch)).Missed);

        _rig.Registry.Report(_rig.Backend("b"), BackendState.Unhealthy, "refused");
        _rig.Registry.Report(_rig.Backend("b"), BackendState.Unhealthy, "refused again");
        _rig.Registry.Report(_rig.Backend("b"), BackendState.Healthy, "answers");

        var (down, up) = (await NextAsync<BackendChanged>(watch), await NextAsync<BackendChanged>(watch));
        Assert.Equal(("b", BackendState.Unknown, BackendState.Unhealthy, "refused"), (down.Backend.Name, down.Before, down.Backend.State, down.Backend.Cause));
        Assert.Equal((BackendState.Unhealthy, BackendState.Healthy), (up.Before, up.Backend.State));
    }

    // None is healthy then, so all are used.
    [Fact]
    public async Task Watch_TellsThatABackendGetsWorkAgain_ThoughItsStateIsAsBefore()
    {
        await using var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);

        _rig.Registry.Report(_rig.Backend("a"), BackendState.Unhealthy, "refused");
        _rig.Registry.Report(_rig.Backend("b"), BackendState.Unhealthy, "refused");

        Assert.Equal(("a", false), Eligible(await NextAsync<BackendChanged>(watch)));
        BackendChanged[] second = [await NextAsync<BackendChanged>(watch), await NextAsync<BackendChanged>(watch)];
        Assert.Equal([("a", true), ("b", true)], second.Select(Eligible));
        Assert.True((await NextAsync<PoolChanged>(watch)).Pool.IsPanicking);
    }

    [Fact]
    public async Task Watch_ThatIsTooSlow_MissesChangesAndGetsASnapshot()
    {
        await using var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);

        for (var i = 0; i < 10; i++) _rig.Registry.Report(_rig.Backend("b"), i % 2 == 0 ? BackendState.Unhealthy : BackendState.Healthy, $"change {i}");
        var caughtUp = await NextAsync<SnapshotTaken>(watch);
        _rig.Registry.Report(_rig.Backend("b"), BackendState.Unhealthy, "the next");

        Assert.Equal(10, caughtUp.Missed);
        Assert.Equal("change 9", caughtUp.Snapshot.Pools[0].Backends[1].Cause);
        Assert.Equal("the next", (await NextAsync<BackendChanged>(watch)).Backend.Cause);
    }

    [Fact]
    public async Task Watch_WithoutTunnels_IsToldOfNone_AndMissesNothingBecauseOfThem()
    {
        var tunnel = new StubTunnel("stub", new Lease(_rig.Backend("a"), LeaseKind.Tunnel, null), 0);
        await using var watch = _state.WatchWithoutTunnelsAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);
        _rig.Tunnels.Announce(tunnel);
        Assert.Equal(0, AllocatedByAnnouncing(tunnel));
        for (var i = 0; i < 10; i++) _rig.Tunnels.Announce(tunnel);

        _rig.Registry.Report(_rig.Backend("b"), BackendState.Unhealthy, "refused");

        Assert.Equal("b", (await NextAsync<BackendChanged>(watch)).Backend.Name);
    }

    [Fact]
    public async Task Watch_TellsOfAConfiguration_AndThenOfItsBackends()
    {
        await using var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);

        _rig.Registry.Apply(Fleet.Options(1, 1, 1));
        _rig.Registry.Report(_rig.Backend("c"), BackendState.Unhealthy, "refused");

        Assert.Equal(3, (await NextAsync<ConfigurationChanged>(watch)).Snapshot.Pools[0].Backends.Count);
        Assert.Equal("c", (await NextAsync<BackendChanged>(watch)).Backend.Name);
    }

    // Between the two steps of a watch that begins.
    [Fact]
    public async Task Feed_ThatHeardOfAReloadBeforeItBegan_TellsTheNextChangeAsOneOfABackend()
    {
        var feed = new StateFeed(new StateReader(_rig.Registry, _rig.Tunnels), capacity: 16);
        _rig.Registry.Changed += feed.Changed;
        _rig.Registry.Apply(Fleet.Options(1, 1, 1));
        feed.Begin(_rig.Registry);
        Assert.Equal(_rig.Registry.Current.Revision, Assert.IsType<SnapshotTaken>(await feed.NextAsync(Wait.Token())).Snapshot.Revision);

        _rig.Registry.Report(_rig.Backend("c"), BackendState.Unhealthy, "refused");

        var change = Assert.IsType<BackendChanged>(await feed.NextAsync(Wait.Token()));
        Assert.Equal(("c", BackendState.Unknown), (change.Backend.Name, change.Before));
    }

    [Fact]
    public async Task Watch_ThatIsCancelled_Ends()
    {
        using var stop = new CancellationTokenSource();
        await using var watch = _state.WatchAsync(stop.Token).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);
        var next = watch.MoveNextAsync().AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Tunnel_WhileNobodyWatches_IsAnnouncedForNothing()
    {
        var tunnel = new StubTunnel("stub", new Lease(_rig.Backend("a"), LeaseKind.Tunnel, null), 0);
        _rig.Tunnels.Announce(tunnel);
        Assert.Equal(0, AllocatedByAnnouncing(tunnel));
        await using (var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator())
        {
            await NextAsync<SnapshotTaken>(watch);
            _rig.Tunnels.Announce(tunnel);
            Assert.Equal("stub", (await NextAsync<TunnelOpened>(watch)).Tunnel.Id);
        }

        Assert.Equal(0, AllocatedByAnnouncing(tunnel));
    }

    private long AllocatedByAnnouncing(Tunnel tunnel)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        _rig.Tunnels.Announce(tunnel);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static (string Name, bool IsEligible) Eligible(BackendChanged change) => (change.Backend.Name, change.Backend.IsEligible);

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<StateChange> watch)
        where T : StateChange
    {
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Wait.Bound));
        return Assert.IsType<T>(watch.Current);
    }
}
