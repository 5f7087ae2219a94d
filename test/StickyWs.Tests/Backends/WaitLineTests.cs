using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Backends;

public sealed class WaitLineTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Freed_OnePlace_GoesToTheFirstAndToNobodyElse(bool isTunnel)
    {
        var kind = isTunnel ? LeaseKind.Tunnel : LeaseKind.Request;
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0], kind);
        Waiter[] waiters = [Any(pool), Any(pool), Any(pool)];
        var waits = Array.ConvertAll(waiters, waiter => WaitAsync(pool, waiter, kind));
        Assert.Equal(3, pool.Lines.Of(kind).Count);

        foreach (var (waiter, wait) in waiters.Zip(waits))
        {
            Assert.False(wait.IsCompleted);
            held.Dispose();
            Assert.Equal(WaitEnd.Granted, await wait);
            Assert.Equal(1, isTunnel ? pool.Backends[0].ActiveHandshakes : pool.Backends[0].ActiveRequests);
            held = waiter.Lease;
        }

        held.Dispose();
        Assert.Equal((0, 0, 0), (pool.Lines.Of(kind).Count, pool.Backends[0].ActiveHandshakes, pool.Backends[0].ActiveRequests));
    }

    [Fact]
    public async Task Freed_ByAHandshakeThatBecameATunnel_IsAPlaceToo()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        var wait = WaitAsync(pool, Any(pool));

        held = held.Shaken();

        Assert.Equal(WaitEnd.Granted, await wait);
        Assert.Equal((2, 1), (pool.Backends[0].ActiveTunnels, pool.Backends[0].ActiveHandshakes));
        held.Dispose();
        Assert.Equal((1, 1), (pool.Backends[0].ActiveTunnels, pool.Backends[0].ActiveHandshakes));
    }

    [Fact]
    public async Task Freed_PlaceThatTheFirstDoesNotWantIt_GoesToTheNext()
    {
        var pool = Crowded(1, 1);
        var (a, b) = (Taken(pool.Backends[0]), Taken(pool.Backends[1]));
        var bound = WaitAsync(pool, Bound(pool, 0));
        var choosy = WaitAsync(pool, new Waiter(pool, null, [pool.Backends[1]], int.MaxValue, null));
        var any = WaitAsync(pool, Any(pool));

        b.Dispose();

        Assert.Equal(WaitEnd.Granted, await any);
        Assert.False(bound.IsCompleted || choosy.IsCompleted);
        a.Dispose();
        Assert.Equal(WaitEnd.Granted, await bound);
        Assert.False(choosy.IsCompleted);
    }

    [Fact]
    public async Task Freed_BoundAndFreeClients_AreServedAsTheyCame()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        Waiter[] waiters = [Any(pool), Bound(pool, 0), Any(pool), Bound(pool, 0)];
        var waits = Array.ConvertAll(waiters, waiter => WaitAsync(pool, waiter));

        foreach (var (waiter, wait) in waiters.Zip(waits))
        {
            held.Dispose();
            Assert.Equal(WaitEnd.Granted, await wait);
            held = waiter.Lease;
        }
    }

    [Fact]
    public async Task WaitAsync_PlaceFreedBeforeItCame_IsGrantedAtOnce()
    {
        var pool = Crowded(1);

        Assert.Equal(WaitEnd.Granted, await WaitAsync(pool, Any(pool)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task WaitAsync_LineIsFull_EndsAtOnce(int length)
    {
        var pool = Crowded(1);
        Taken(pool.Backends[0]);
        for (var i = 0; i < length; i++) _ = WaitAsync(pool, Any(pool), length: length);

        Assert.Equal(WaitEnd.Full, await WaitAsync(pool, Any(pool), length: length));
        Assert.Equal(length, pool.Lines.Handshakes.Count);
    }

    [Fact]
    public async Task WaitAsync_LineIsFullOfThoseWhoDoNotWantThePlace_GetsIt()
    {
        var pool = Crowded(1, 1);
        Taken(pool.Backends[0]);
        var choosy = WaitAsync(pool, new Waiter(pool, null, [pool.Backends[1]], int.MaxValue, null), length: 1);

        Assert.Equal(WaitEnd.Granted, await WaitAsync(pool, Bound(pool, 1), length: 1));
        Assert.Equal(WaitEnd.Full, await WaitAsync(pool, Bound(pool, 1), length: 1));
        Assert.False(choosy.IsCompleted);
        Assert.Equal(1, pool.Lines.Handshakes.Count);
    }

    [Fact]
    public async Task WaitAsync_ClientLeaves_EndsAndLetsTheNextMoveUp()
    {
        using var leaving = new CancellationTokenSource();
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        var first = pool.Lines.Handshakes.WaitAsync(Any(pool), 10, Longest, leaving.Token).AsTask();
        var second = WaitAsync(pool, Any(pool));

        await leaving.CancelAsync();

        Assert.Equal(WaitEnd.Left, await first);
        Assert.Equal(1, pool.Lines.Handshakes.Count);
        held.Dispose();
        Assert.Equal(WaitEnd.Granted, await second);
    }

    [Fact]
    public async Task WaitAsync_NoPlaceInTime_EndsThen()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        var wait = WaitAsync(pool, Any(pool));
        _time.Advance(Longest - TimeSpan.FromTicks(1));
        Assert.False(wait.IsCompleted);

        _time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(WaitEnd.TimedOut, await wait);
        held.Dispose();
        Assert.Equal(0, pool.Backends[0].ActiveHandshakes);
    }

    [Fact]
    public async Task CloseLines_WithSomeWaiting_EndsTheirWaitAndLetsNobodyWait()
    {
        var registry = Fleet.Registry(Limited(1), time: _time);
        var pool = Fleet.PoolOf(registry);
        var held = Taken(pool.Backends[0]);
        var (any, bound) = (WaitAsync(pool, Any(pool)), WaitAsync(pool, Bound(pool, 0)));

        registry.CloseLines();

        Assert.Equal([WaitEnd.Closed, WaitEnd.Closed], await Task.WhenAll(any, bound));
        Assert.Equal(WaitEnd.Closed, await WaitAsync(pool, Any(pool)));
        held.Dispose();
        Assert.Equal((0, 0), (pool.Lines.Handshakes.Count, pool.Backends[0].ActiveHandshakes));
    }

    [Fact]
    public async Task Apply_HigherLimit_ServesThoseWhoWait()
    {
        var registry = Fleet.Registry(Limited(1), time: _time);
        var pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[0]);
        Task<WaitEnd>[] waits = [WaitAsync(pool, Any(pool)), WaitAsync(pool, Bound(pool, 0)), WaitAsync(pool, Any(pool))];

        registry.Apply(Limited(3));

        Assert.Equal([WaitEnd.Granted, WaitEnd.Granted], [await waits[0], await waits[1]]);
        Assert.False(waits[2].IsCompleted);
        Assert.Equal(3, pool.Backends[0].ActiveHandshakes);
        registry.Apply(Limited(2));
        Assert.False(waits[2].IsCompleted);
        registry.Apply(Fleet.Options(1));
        Assert.Equal(WaitEnd.Granted, await waits[2]);
    }

    [Fact]
    public async Task Report_NoBackendLeftToWaitFor_StrandsThoseAlone()
    {
        var registry = Fleet.Registry(Limited(1, 1), time: _time);
        var pool = Fleet.PoolOf(registry);
        foreach (var backend in pool.Backends) registry.Report(backend, BackendState.Healthy, "test");
        pool = Fleet.PoolOf(registry);
        foreach (var backend in pool.Backends) Taken(backend);
        var (toA, toB, any) = (WaitAsync(pool, Bound(pool, 0)), WaitAsync(pool, Bound(pool, 1)), WaitAsync(pool, Any(pool)));

        registry.Report(pool.Backends[0], BackendState.Unhealthy, "test");

        Assert.Equal(WaitEnd.Stranded, await toA);
        Assert.False(toB.IsCompleted || any.IsCompleted);
        registry.Report(pool.Backends[1], BackendState.Unhealthy, "test");
        Assert.Equal([WaitEnd.Stranded, WaitEnd.Stranded], await Task.WhenAll(toB, any));
        Assert.Equal(WaitEnd.Stranded, await WaitAsync(pool, Any(pool)));
    }

    [Fact]
    public async Task Report_BackendReturns_ServesThoseWhoWait()
    {
        var registry = Fleet.Registry(Limited(1, 1), time: _time);
        var pool = Fleet.PoolOf(registry);
        registry.Report(pool.Backends[0], BackendState.Healthy, "test");
        pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[0]);
        Waiter[] waiters = [Any(pool), Any(pool)];
        var waits = Array.ConvertAll(waiters, waiter => WaitAsync(pool, waiter));

        registry.Report(pool.Backends[1], BackendState.Healthy, "test");

        Assert.Equal(WaitEnd.Granted, await waits[0]);
        Assert.Equal("b", waiters[0].Lease.Backend.Name);
        Assert.False(waits[1].IsCompleted);
    }

    [Fact]
    public async Task WaitAsync_NoTokenOfTheRate_EndsWithTheNextOne()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].HandshakeRate = 4, 1), time: _time);
        var pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[0]);
        Assert.Equal(LeaseResult.Busy, pool.Backends[0].TryLease(LeaseKind.Tunnel, int.MaxValue, out _));
        var waits = Enumerable.Range(0, 3).Select(_ => WaitAsync(pool, Any(pool))).ToArray();

        for (var i = 0; i < waits.Length; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(249));
            Assert.Equal(i, waits.Count(wait => wait.IsCompleted));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(WaitEnd.Granted, await waits[i]);
        }
    }

    [Fact]
    public void TryLease_Limits_CountApart()
    {
        var backend = Fleet.Backend(0, maxTunnels: 3);
        backend.Configure(1, 3, new WorkLimits(MaxHandshakes: 2, MaxRequests: 1));

        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out var first));
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out var second));
        Assert.Equal(LeaseResult.Busy, backend.TryLease(LeaseKind.Tunnel, 10, out _));
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Request, 10, out var request));
        Assert.Equal(LeaseResult.Busy, backend.TryLease(LeaseKind.Request, 10, out _));
        (first, second) = (first.Shaken(), second.Shaken());
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 10, out var third));
        Assert.Equal(LeaseResult.BackendFull, backend.TryLease(LeaseKind.Tunnel, 10, out _));
        foreach (var lease in new[] { first, second, third, request }) lease.Dispose();
        Assert.Equal((0, 0, 0), (backend.ActiveTunnels, backend.ActiveHandshakes, backend.ActiveRequests));
    }

    [Fact]
    public void TryLease_RefusedByTheProcess_KeepsNoPlaceAndNoToken()
    {
        var backend = Fleet.Backend(0);
        backend.Configure(1, null, new WorkLimits(MaxHandshakes: 1, HandshakeRate: 0.1), _time);

        Assert.Equal(LeaseResult.AllFull, backend.TryLease(LeaseKind.Tunnel, 0, out _));

        Assert.Equal((0, 0), (backend.ActiveTunnels, backend.ActiveHandshakes));
        Assert.Equal(LeaseResult.Granted, backend.TryLease(LeaseKind.Tunnel, 1, out _));
    }

    [Theory]
    [InlineData(BackendMode.HandOff)]
    [InlineData(BackendMode.Cut)]
    public async Task Order_BackendIsHandedOff_ReleasesItsClientsToDecideAnew(BackendMode mode)
    {
        var registry = Fleet.Registry(Limited(1, 1), time: _time);
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Healthy, "test");
        var pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[0]);
        var held = Taken(pool.Backends[1]);
        var (toA, toB) = (WaitAsync(pool, Bound(pool, 0)), WaitAsync(pool, Bound(pool, 1)));
        registry.Order([pool.Backends[1]], BackendMode.Stop);
        Assert.Equal(2, pool.Lines.Handshakes.Count);

        registry.Order([pool.Backends[1]], mode);

        Assert.Equal(WaitEnd.Stranded, await toB);
        held.Dispose();
        Assert.Equal(0, pool.Backends[1].ActiveHandshakes);
        Assert.False(toA.IsCompleted);
        Assert.Equal(WaitEnd.Stranded, await WaitAsync(pool, Bound(pool, 1)));
    }

    [Theory]
    [InlineData(RemovedBackendBehavior.Keep, false)]
    [InlineData(RemovedBackendBehavior.HandOff, true)]
    [InlineData(RemovedBackendBehavior.Cut, true)]
    public async Task Apply_BackendRemoved_ReleasesItsClientsUnlessItServesThem(RemovedBackendBehavior whenRemoved, bool isReleased)
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["b"].MaxHandshakes = 1, 1, 1), time: _time);
        var pool = Fleet.PoolOf(registry);
        var held = Taken(pool.Backends[1]);
        var own = WaitAsync(pool, Bound(pool, 1));
        var newcomer = WaitAsync(pool, new Waiter(pool, pool.Backends[1], [], int.MaxValue, null) { IsNewWork = true });

        registry.Apply(Fleet.Options(pool => pool.Drain.WhenRemoved = whenRemoved, 1));

        Assert.Equal(WaitEnd.Stranded, await newcomer);
        Assert.Equal(isReleased ? 0 : 1, pool.Lines.Handshakes.Count);
        held.Dispose();
        Assert.Equal(isReleased ? WaitEnd.Stranded : WaitEnd.Granted, await own);
    }

    // Nothing is published then: no new work would go there anyway.
    [Fact]
    public async Task Report_StoppedBackendDies_ReleasesItsClients()
    {
        var registry = Fleet.Registry(Limited(1, 1), time: _time);
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Healthy, "test");
        var pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[1]);
        registry.Order([pool.Backends[1]], BackendMode.Stop);
        var wait = WaitAsync(pool, Bound(pool, 1));
        Assert.Equal(1, pool.Lines.Handshakes.Count);

        registry.Report(pool.Backends[1], BackendState.Unhealthy, "test");

        Assert.Equal(WaitEnd.Stranded, await wait);
    }

    [Fact]
    public async Task Apply_BackendAdded_ServesThoseWhoWaitInOrder()
    {
        var registry = Fleet.Registry(Limited(1), time: _time);
        var before = Fleet.PoolOf(registry);
        Taken(before.Backends[0]);
        Waiter[] waiters = [Any(before), Any(before), Any(before)];
        var waits = Array.ConvertAll(waiters, waiter => WaitAsync(before, waiter));

        registry.Apply(Fleet.Options(pool => (pool.Backends["a"].MaxHandshakes, pool.Backends["b"].MaxHandshakes) = (1, 2), 1, 1));

        Assert.Equal([WaitEnd.Granted, WaitEnd.Granted], [await waits[0], await waits[1]]);
        Assert.Equal("b", waiters[1].Lease.Backend.Name);
        Assert.Same(Fleet.PoolOf(registry), waiters[1].Pool);
        Assert.False(waits[2].IsCompleted);

        // As does one who comes with an old snapshot.
        waiters[0].Lease.Dispose();
        Assert.Equal(WaitEnd.Granted, await waits[2]);
        waiters[1].Lease.Dispose();
        Assert.Equal(WaitEnd.Granted, await WaitAsync(before, Any(before)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:6000", true)]
    [InlineData("https://127.0.0.1:6000", false)] // The lane was chosen without TLS.
    public async Task Apply_BackendsReplaced_LetsThoseWhoWaitHaveTheNewOnes(string address, bool isServed)
    {
        var registry = Fleet.Registry(Limited(1), time: _time);
        var pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[0]);
        var waiter = Any(pool);
        var wait = WaitAsync(pool, waiter);

        registry.Apply(Fleet.Options(pool => pool.Backends["a"].Address = address, 1));

        Assert.Equal(isServed ? WaitEnd.Granted : WaitEnd.Stranded, await wait);
        if (isServed) Assert.Equal(6000, waiter.Lease.Backend.Address.Port);
    }

    [Fact]
    public async Task Apply_LimitsLifted_GivesPlacesInTurnsByWeight()
    {
        var registry = Fleet.Registry(Fleet.Options(
            pool => { foreach (var backend in pool.Backends.Values) backend.MaxHandshakes = 1; },
            3, 1), time: _time);
        var pool = Fleet.PoolOf(registry);
        foreach (var backend in pool.Backends) Taken(backend).Shaken();
        foreach (var backend in pool.Backends) Taken(backend);
        var waits = Enumerable.Range(0, 40).Select(_ => WaitAsync(pool, Any(pool))).ToArray();

        registry.Apply(Fleet.Options(3, 1));

        await Task.WhenAll(waits);
        Assert.Equal([1 + 30, 1 + 10], pool.Backends.Select(backend => backend.ActiveHandshakes));
    }

    [Fact]
    public async Task WaitAsync_ManyForOneBackendOfSeveral_LeaveHalfOfTheLineToOthers()
    {
        var pool = Crowded(1, 1);
        foreach (var backend in pool.Backends) Taken(backend);
        var bound = Enumerable.Range(0, 3).Select(_ => WaitAsync(pool, Bound(pool, 0), length: 4)).ToArray();

        Assert.Equal(WaitEnd.FullForBackend, await bound[2]);
        Waiter[] others = [Any(pool), Bound(pool, 1)];
        var waits = Array.ConvertAll(others, waiter => WaitAsync(pool, waiter, length: 4));
        Assert.All([bound[0], bound[1], .. waits], wait => Assert.False(wait.IsCompleted));
        Assert.Equal(WaitEnd.Full, await WaitAsync(pool, Any(pool), length: 4));
    }

    [Fact]
    public async Task WaitAsync_ManyForTheOnlyBackendLeft_MayTakeTheWholeLine()
    {
        var pool = Crowded(1, 1);
        Taken(pool.Backends[0]);
        var waiters = Enumerable.Range(0, 4).Select(_ => new Waiter(pool, pool.Backends[0], [pool.Backends[1]], int.MaxValue, null));

        Assert.All(waiters.Select(waiter => WaitAsync(pool, waiter, length: 4)).ToArray(), wait => Assert.False(wait.IsCompleted));
    }

    // Tunnels are not waited for: they may last for days.
    [Fact]
    public async Task Freed_BackendHasAllItsTunnels_EndsTheWaitOfItsOwnClientsAndOfThoseWithoutAnother()
    {
        var registry = Fleet.Registry(Fleet.Options(
            pool => { foreach (var backend in pool.Backends.Values) (backend.MaxHandshakes, backend.MaxTunnels) = (1, 1); }, 1, 1), time: _time);
        var pool = Fleet.PoolOf(registry);
        var (a, b) = (Taken(pool.Backends[0]), Taken(pool.Backends[1]));
        pool.Backends[0].Configure(1, 2, new WorkLimits(MaxHandshakes: 1));
        pool.Backends[1].Configure(1, 2, new WorkLimits(MaxHandshakes: 1));
        var (any, bound, other) = (WaitAsync(pool, Any(pool)), WaitAsync(pool, Bound(pool, 0)), WaitAsync(pool, Bound(pool, 1)));
        pool.Backends[0].Configure(1, 1, new WorkLimits(MaxHandshakes: 1));

        _ = a.Shaken();

        Assert.Equal(WaitEnd.BackendFull, await bound);
        Assert.Equal(2, pool.Lines.Handshakes.Count); // The other backend may have a place.
        pool.Backends[1].Configure(1, 1, new WorkLimits(MaxHandshakes: 1));
        _ = b.Shaken();
        Assert.Equal([WaitEnd.NoTunnel, WaitEnd.BackendFull], await Task.WhenAll(any, other));
        Assert.Equal(0, pool.Lines.Handshakes.Count);
    }

    // Behind one that another backend may still serve.
    [Fact]
    public async Task Freed_BackendHasAllItsTunnels_EndsTheWaitOfWhoeverHasTriedTheOthers()
    {
        var pool = Crowded(1, 1);
        var (a, b) = (Taken(pool.Backends[0]), Taken(pool.Backends[1]));
        var any = WaitAsync(pool, Any(pool));
        var choosy = Array.ConvertAll([1, 2], _ => WaitAsync(pool, new Waiter(pool, null, [pool.Backends[1]], int.MaxValue, null)));
        pool.Backends[0].Configure(1, 1, new WorkLimits(MaxHandshakes: 1));

        _ = a.Shaken();

        Assert.Equal([WaitEnd.NoTunnel, WaitEnd.NoTunnel], await Task.WhenAll(choosy).WaitAsync(Wait.Bound));
        Assert.Equal((false, 1), (any.IsCompleted, pool.Lines.Handshakes.Count));
        b.Dispose();
        Assert.Equal(WaitEnd.Granted, await any);
    }

    [Fact]
    public async Task Freed_ProcessHasAllItsTunnels_EndsTheWait()
    {
        var pool = Crowded(1);
        var held = Taken(pool.Backends[0]);
        var waits = Array.ConvertAll(
            [null, pool.Backends[0]], (Backend? only) => WaitAsync(pool, new Waiter(pool, only, [], maxTunnels: 1, null)));

        _ = held.Shaken();

        Assert.Equal([WaitEnd.NoTunnel, WaitEnd.NoTunnel], await Task.WhenAll(waits));
        Assert.Equal((0, 0), (pool.Lines.Handshakes.Count, pool.Backends[0].ActiveHandshakes));
    }

    // Refused for want of a token, which is there when the line asks when it will be: no release would wake anybody.
    [Fact]
    public async Task WaitAsync_TokenFallsDueMeanwhile_IsLookedForAgain()
    {
        var time = new HastyTime();
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].HandshakeRate = 4, 1), time: time);
        var pool = Fleet.PoolOf(registry);
        Taken(pool.Backends[0]);
        time.AfterRead = TimeSpan.FromMilliseconds(250);
        var wait = WaitAsync(pool, Any(pool));
        Assert.False(wait.IsCompleted);

        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(WaitEnd.Granted, await wait);
    }

    [Fact]
    public void TryLease_WhileItWarmsUp_HasAPartOfItsLimitsAndAtLeastOne()
    {
        var backend = Fleet.Backend(0);
        backend.Configure(1, null, new WorkLimits(MaxHandshakes: 30, MaxRequests: 5, HandshakeRate: 1000), _time);
        backend.Cool();
        backend.Warm(TimeSpan.FromSeconds(100), _time);

        Assert.Equal((3, 1), (Granted(LeaseKind.Tunnel), Granted(LeaseKind.Request)));
        _time.Advance(TimeSpan.FromSeconds(50));
        backend.Warm(TimeSpan.FromSeconds(100), _time);
        Assert.Equal((16 - 3, 2 - 1), (Granted(LeaseKind.Tunnel), Granted(LeaseKind.Request)));
        _time.Advance(TimeSpan.FromSeconds(50));
        backend.Warm(TimeSpan.FromSeconds(100), _time);
        Assert.Equal((30 - 16, 5 - 2), (Granted(LeaseKind.Tunnel), Granted(LeaseKind.Request)));

        int Granted(LeaseKind kind) => Enumerable.Range(0, 100).Count(_ => backend.TryLease(kind, int.MaxValue, out var _) == LeaseResult.Granted);
    }

    // Its limits grow although nothing is published.
    [Fact]
    public async Task Step_SharesGrow_ServesThoseWhoWait()
    {
        var registry = Fleet.Registry(Fleet.Options(1), time: _time);
        registry.Apply(Fleet.Options(
            pool =>
            {
                pool.SlowStart = TimeSpan.FromSeconds(100);
                (pool.Backends["a"].MaxHandshakes, pool.Backends["b"].MaxHandshakes) = (1, 10);
            },
            1, 1));
        var pool = Fleet.PoolOf(registry);
        foreach (var backend in pool.Backends) Taken(backend);
        var waiter = Any(pool);
        var wait = pool.Lines.Handshakes.WaitAsync(waiter, 10, TimeSpan.FromMinutes(1), CancellationToken.None).AsTask();
        Assert.False(wait.IsCompleted);

        for (var i = 0; i < 4; i++) _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(WaitEnd.Granted, await wait.WaitAsync(Wait.Token()));
        Assert.Equal("b", waiter.Lease.Backend.Name);
    }

    // Backends of a pool with probes, so that health decides who gets new work.
    private static StickyWsOptions Limited(params int[] limits) => Fleet.Options(
        pool =>
        {
            for (var i = 0; i < limits.Length; i++)
            {
                var backend = pool.Backends[Fleet.Name(i)];
                (backend.MaxHandshakes, backend.MaxRequests) = (limits[i], limits[i]);
            }

            if (limits.Length > 1) pool.Health.Tcp = new TcpProbeOptions();
        },
        Array.ConvertAll(limits, _ => 1));

    private PoolSnapshot Crowded(params int[] limits)
    {
        var registry = Fleet.Registry(Limited(limits), time: _time);
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Healthy, "test");
        return Fleet.PoolOf(registry);
    }

    private static Waiter Any(PoolSnapshot pool) => new(pool, null, [], int.MaxValue, null);

    private static Waiter Bound(PoolSnapshot pool, int place) => new(pool, pool.Backends[place], [], int.MaxValue, null);

    private static Lease Taken(Backend backend, LeaseKind kind = LeaseKind.Tunnel)
    {
        Assert.Equal(LeaseResult.Granted, backend.TryLease(kind, int.MaxValue, out var lease));
        return lease;
    }

    private static Task<WaitEnd> WaitAsync(PoolSnapshot pool, Waiter waiter, LeaseKind kind = LeaseKind.Tunnel, int length = 100)
        => pool.Lines.Of(kind).WaitAsync(waiter, length, Longest, CancellationToken.None).AsTask().WaitAsync(Wait.Token());

    // Its time jumps once, after it was read.
    private sealed class HastyTime : FakeTimeProvider
    {
        public TimeSpan AfterRead { get; set; }

        public override long GetTimestamp()
        {
            var now = base.GetTimestamp();
            (var jump, AfterRead) = (AfterRead, TimeSpan.Zero);
            if (jump > TimeSpan.Zero) Advance(jump);
            return now;
        }
    }
}
