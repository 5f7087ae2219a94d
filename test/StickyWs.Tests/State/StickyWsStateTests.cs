using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.Tests.Backends;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.State;

public sealed class StickyWsStateTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeTimeProvider _clock = new();
    private readonly BackendRegistry _registry;
    private readonly TunnelTable _tunnels;
    private readonly StickyWsState _state;

    public StickyWsStateTests()
    {
        _registry = Fleet.Registry(Fleet.Options(2, 1), time: _clock);
        _tunnels = new TunnelTable(new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>()), _clock, NullLogger<TunnelTable>.Instance);
        _state = new StickyWsState(_registry, _tunnels) { Capacity = 4 };
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Read_ShowsPoolsAndBackends_WithStateCauseAndSince()
    {
        _clock.Advance(TimeSpan.FromMinutes(1));
        _registry.Report(Backend("b"), BackendState.Unhealthy, "probe: status 500");
        _clock.Advance(TimeSpan.FromMinutes(1));

        var pool = Assert.Single(_state.Read().Pools);

        Assert.Equal((Fleet.Pool, "RoundRobin", false, false), (pool.Name, pool.Policy, pool.IsPanicking, pool.IsAwaited));
        Assert.Equal([("a", BackendState.Unknown, null, true, 2), ("b", BackendState.Unhealthy, "probe: status 500", false, 1)],
            pool.Backends.Select(backend => (backend.Name, backend.State, backend.Cause, backend.IsEligible, backend.Weight)));
        Assert.Equal(TimeSpan.FromMinutes(1), _clock.GetUtcNow() - pool.Backends[1].Since);
        Assert.Equal(TimeSpan.FromMinutes(2), _clock.GetUtcNow() - pool.Backends[0].Since);
    }

    [Fact]
    public async Task Watch_BeginsWithASnapshot_AndTellsEachChangeOfABackendOnce()
    {
        await using var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        Assert.Equal(0, (await NextAsync<SnapshotTaken>(watch)).Missed);

        _registry.Report(Backend("b"), BackendState.Unhealthy, "refused");
        _registry.Report(Backend("b"), BackendState.Unhealthy, "refused again");
        _registry.Report(Backend("b"), BackendState.Healthy, "answers");

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

        _registry.Report(Backend("a"), BackendState.Unhealthy, "refused");
        _registry.Report(Backend("b"), BackendState.Unhealthy, "refused");

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

        for (var i = 0; i < 10; i++) _registry.Report(Backend("b"), i % 2 == 0 ? BackendState.Unhealthy : BackendState.Healthy, $"change {i}");
        var caughtUp = await NextAsync<SnapshotTaken>(watch);
        _registry.Report(Backend("b"), BackendState.Unhealthy, "the next");

        Assert.Equal(10, caughtUp.Missed);
        Assert.Equal("change 9", caughtUp.Snapshot.Pools[0].Backends[1].Cause);
        Assert.Equal("the next", (await NextAsync<BackendChanged>(watch)).Backend.Cause);
    }

    [Fact]
    public async Task Watch_WithoutTunnels_IsToldOfNone_AndMissesNothingBecauseOfThem()
    {
        var tunnel = new Stub(Backend("a"));
        await using var watch = _state.WatchWithoutTunnelsAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);
        _tunnels.Announce(tunnel);
        Assert.Equal(0, AllocatedByAnnouncing(tunnel));
        for (var i = 0; i < 10; i++) _tunnels.Announce(tunnel);

        _registry.Report(Backend("b"), BackendState.Unhealthy, "refused");

        Assert.Equal("b", (await NextAsync<BackendChanged>(watch)).Backend.Name);
    }

    [Fact]
    public async Task Watch_TellsOfAConfiguration_AndThenOfItsBackends()
    {
        await using var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await NextAsync<SnapshotTaken>(watch);

        _registry.Apply(Fleet.Options(1, 1, 1));
        _registry.Report(Backend("c"), BackendState.Unhealthy, "refused");

        Assert.Equal(3, (await NextAsync<ConfigurationChanged>(watch)).Snapshot.Pools[0].Backends.Count);
        Assert.Equal("c", (await NextAsync<BackendChanged>(watch)).Backend.Name);
    }

    // Between the two steps of a watch that begins.
    [Fact]
    public async Task Feed_ThatHeardOfAReloadBeforeItBegan_TellsTheNextChangeAsOneOfABackend()
    {
        var feed = new StateFeed(new StateReader(_registry, _tunnels), capacity: 16);
        _registry.Changed += feed.Changed;
        _registry.Apply(Fleet.Options(1, 1, 1));
        feed.Begin(_registry);
        Assert.Equal(_registry.Current.Revision, Assert.IsType<SnapshotTaken>(await feed.NextAsync(Wait.Token())).Snapshot.Revision);

        _registry.Report(Backend("c"), BackendState.Unhealthy, "refused");

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
        var tunnel = new Stub(Backend("a"));
        _tunnels.Announce(tunnel);
        Assert.Equal(0, AllocatedByAnnouncing(tunnel));
        await using (var watch = _state.WatchAsync(Wait.Token()).GetAsyncEnumerator())
        {
            await NextAsync<SnapshotTaken>(watch);
            _tunnels.Announce(tunnel);
            Assert.Equal("stub", (await NextAsync<TunnelOpened>(watch)).Tunnel.Id);
        }

        Assert.Equal(0, AllocatedByAnnouncing(tunnel));
    }

    private long AllocatedByAnnouncing(Tunnel tunnel)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        _tunnels.Announce(tunnel);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private Backend Backend(string name) => Fleet.PoolOf(_registry).Backends.Single(backend => backend.Name == name);

    private static (string Name, bool IsEligible) Eligible(BackendChanged change) => (change.Backend.Name, change.Backend.IsEligible);

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<StateChange> watch)
        where T : StateChange
    {
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Wait.Bound));
        return Assert.IsType<T>(watch.Current);
    }

    private sealed class Stub(Backend backend) : Tunnel("stub", new Lease(backend, LeaseKind.Tunnel, null), 0)
    {
        public override string Lane => LaneNames.Portable;

        public override ConnectionTuple? Tuple => null;

        public override ValueTask<ConnectionTuple?> ReadBackendTupleAsync() => default;

        public override void Abort(EndReason reason)
        {
        }
    }
}
