using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.TestKit;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

/// <summary>Decisions whose backends take no more at a time.</summary>
public sealed class CrowdTests
{
    private readonly PolicyRunner _roundRobin = new(new RoundRobinPolicy(), new FakeLogger<PolicyRunner>());
    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger<WaitingRoom> _log = new();
    private readonly WaitingRoom _waits;

    public CrowdTests() => _waits = new WaitingRoom(_time, _log);

    [Fact]
    public void TryNext_CrowdedBackend_IsPassedOverAndStaysACandidate()
    {
        var registry = Fleet.Registry(Limits(1, 5));

        var taken = Enumerable.Range(0, 6).Select(_ => Next(Decide(registry)).Backend.Name).ToArray();

        Assert.Equal(["a", "b", "b", "b", "b", "b"], taken.Order());
        var decision = Decide(registry);
        Assert.False(decision.TryNext(out _));
        Assert.Equal(NoBackendReason.Busy, decision.Why);
        Assert.Equal([1, 5], Fleet.PoolOf(registry).Backends.Select(backend => backend.ActiveHandshakes));
    }

    [Fact]
    public async Task WaitAsync_PlaceFreed_GetsItAndTellsNothingElse()
    {
        var registry = Fleet.Registry(Limits(1, 1));
        var held = new[] { Next(Decide(registry)), Next(Decide(registry)) };
        var decision = Decide(registry);
        var waiting = WaitAsync(decision);
        Assert.Equal(1, Fleet.PoolOf(registry).Lines.Handshakes.Count);

        held[1].Dispose();

        Assert.Equal(held[1].Backend, (await waiting)!.Value.Backend);
        Assert.Equal((NoBackendReason.None, DecisionReason.Policy), (decision.Why, decision.Reason));
        Assert.Empty(_log.Collector.GetSnapshot());
    }

    [Fact]
    public async Task TryNext_OthersWaitAlready_IsBehindThem()
    {
        var registry = Fleet.Registry(Limits(1));
        var held = Next(Decide(registry));
        var first = WaitAsync(Decide(registry));
        var second = Decide(registry);
        var turn = Fleet.PoolOf(registry).Turns.Next();

        Assert.False(second.TryNext(out _));

        Assert.Equal(NoBackendReason.Busy, second.Why);
        Assert.Equal(turn + 1, Fleet.PoolOf(registry).Turns.Next()); // Who waits has no turn.
        held.Dispose();
        (await first)!.Value.Dispose();
        Assert.True(second.TryNext(out _));
    }

    [Fact]
    public async Task WaitAsync_Refused_SaysWhyAndLogsOnceASecond()
    {
        var registry = Fleet.Registry(Limits(pool => (pool.Queue.Length, pool.Queue.Timeout) = (1, TimeSpan.FromSeconds(2)), 1), time: _time);
        Next(Decide(registry));
        var first = Decide(registry);
        var waiting = WaitAsync(first);
        Decision[] refused = [Decide(registry), Decide(registry), Decide(registry)];

        foreach (var decision in refused) Assert.Null(await WaitAsync(decision));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Null(await waiting);
        Assert.Equal(NoBackendReason.QueueTimedOut, first.Why);
        Assert.All(refused, decision => Assert.Equal((NoBackendReason.QueueFull, 503), (decision.Why, decision.Refusal.Status)));
        var lines = _log.Collector.GetSnapshot().Select(line => line.Message).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.Contains("Pool chat: a handshake got 503, because its backends take no more at a time and 1 wait already", lines[0], StringComparison.Ordinal);
        Assert.Contains("and it waited for 00:00:02", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task WaitAsync_Again_HasOnlyWhatIsLeftOfTheTime()
    {
        var registry = Fleet.Registry(Limits(1, 1), time: _time);
        var held = new[] { Next(Decide(registry)), Next(Decide(registry)) };
        var decision = Decide(registry);
        var waiting = WaitAsync(decision);
        _time.Advance(TimeSpan.FromSeconds(3));
        held[0].Dispose();
        (await waiting)!.Value.Dispose(); // It failed there.
        _ = Next(Decide(registry));

        var again = WaitAsync(decision);

        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(again.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(await again);
        Assert.Equal(NoBackendReason.QueueTimedOut, decision.Why);
    }

    [Fact]
    public async Task WaitAsync_ClientLeaves_ThrowsAndHoldsNothing()
    {
        var registry = Fleet.Registry(Limits(1));
        Next(Decide(registry)).Dispose();
        var held = Next(Decide(registry));
        using var leaving = new CancellationTokenSource();
        var decision = Decide(registry);
        Assert.False(decision.TryNext(out _));
        var waiting = decision.WaitAsync(leaving.Token).AsTask();

        await leaving.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting);
        held.Dispose();
        Assert.Equal((0, 0), (Fleet.PoolOf(registry).Backends[0].ActiveHandshakes, Fleet.PoolOf(registry).Lines.Handshakes.Count));
    }

    [Fact]
    public async Task TryNext_ClientWithAKey_WaitsForItsOwnBackendAlone()
    {
        var registry = Fleet.Registry(Limits(pool => pool.Affinity.Rules.Add(new() { Header = new() { Name = "X-User" } }), 1, 1));
        var rig = new DispatchRig(registry);
        var head = DispatchRig.Head(headers: "X-User: alice\r\n");
        Assert.True(rig.Decide(head)!.TryNext(out var own));
        var decision = rig.Decide(head)!;

        Assert.False(decision.TryNext(out _));

        Assert.Equal(NoBackendReason.Busy, decision.Why);
        var waiting = decision.WaitAsync(Wait.Token()).AsTask();
        Next(rig.Decide(DispatchRig.Head())!).Dispose(); // The other has a place, and a client without a key gets it, although one waits.
        Assert.False(waiting.IsCompleted);
        own.Dispose();
        Assert.Equal(own.Backend, (await waiting)!.Value.Backend);
    }

    // Between the moment at which a place or a token of the rate is there and the one at which the line hands it out.
    [Theory]
    [InlineData("X-User: alice\r\n")]
    [InlineData("")]
    public async Task TryNext_PlaceThatBelongsToSomebodyInLine_IsNotTaken(string headers)
    {
        var registry = Fleet.Registry(Limits(pool => pool.Affinity.Rules.Add(new() { Header = new() { Name = "X-User" } }), 1));
        var rig = new DispatchRig(registry);
        var own = Next(rig.Decide(DispatchRig.Head(headers: "X-User: alice\r\n"))!);
        var first = WaitAsync(rig.Decide(DispatchRig.Head(headers: "X-User: alice\r\n"))!);
        own.Backend.Configure(1, null, new WorkLimits(MaxHandshakes: 2)); // The line is not told.
        var decision = rig.Decide(DispatchRig.Head(headers: headers))!;

        var second = WaitAsync(decision);

        // It told the line by asking.
        Assert.NotNull(await first);
        Assert.False(second.IsCompleted);
        own.Dispose();
        Assert.NotNull(await second);
    }

    [Fact]
    public async Task WaitAsync_OwnBackendDies_MovesWhereTheKeyLeads()
    {
        var registry = Fleet.Registry(Limits(
            pool =>
            {
                pool.Affinity.Rules.Add(new() { Header = new() { Name = "X-User" } });
                pool.Health.Tcp = new TcpProbeOptions();
            },
            1, 1));
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Healthy, "test");
        var rig = new DispatchRig(registry);
        var head = DispatchRig.Head(headers: "X-User: alice\r\n");
        Assert.True(rig.Decide(head)!.TryNext(out var own));
        var waiting = WaitAsync(rig.Decide(head)!);

        registry.Report(own.Backend, BackendState.Unhealthy, "test");

        Assert.NotEqual(own.Backend, (await waiting)!.Value.Backend);
    }

    [Theory]
    [InlineData(BackendMode.HandOff)]
    [InlineData(BackendMode.Cut)]
    public async Task WaitAsync_OwnBackendIsHandedOff_IsMoved(BackendMode mode)
    {
        var rig = new StickyRig(Way.Cookie, pool => { foreach (var backend in pool.Backends.Values) backend.MaxHandshakes = 1; });
        var client = new StickyClient(rig);
        var own = await client.StayAsync();
        var again = await client.StayAsync();
        Assert.Equal(NoBackendReason.Busy, again.Why);
        var waiting = again.Decision.WaitAsync(CancellationToken.None).AsTask();

        rig.Registry.Order([rig.Backend(own.Backend!)], mode);

        var lease = await waiting.WaitAsync(Wait.Token());
        Assert.NotEqual(own.Backend, lease!.Value.Backend.Name);
        Assert.Equal(own.Backend, again.Decision.Notice.MovedFrom);
        lease.Value.Dispose();
        own.End();
        rig.AssertIdle();
    }

    // Its state is nowhere yet, so a stopped backend is nothing to it.
    [Fact]
    public async Task WaitAsync_NewClientWithAKey_DoesNotWaitForAStoppedBackend()
    {
        var registry = Fleet.Registry(Limits(pool => pool.Affinity.Rules.Add(new() { Header = new() { Name = "X-User" } }), 1, 1));
        var rig = new DispatchRig(registry);
        var own = Next(rig.Decide(DispatchRig.Head(headers: "X-User: alice\r\n"))!);
        var waiting = WaitAsync(rig.Decide(DispatchRig.Head(headers: "X-User: alice\r\n"))!);

        registry.Order([own.Backend], BackendMode.Stop);

        Assert.NotEqual(own.Backend, (await waiting)!.Value.Backend);
    }

    [Fact]
    public async Task WaitAsync_BackendsReplaced_GoesOnWithThePoolAsItIs()
    {
        var registry = Fleet.Registry(Limits(1));
        _ = Next(Decide(registry));
        var decision = Decide(registry);
        var waiting = WaitAsync(decision);

        registry.Apply(Limits(pool => pool.Backends["a"].Address = "http://127.0.0.1:6000", 1));

        Assert.Equal(6000, (await waiting)!.Value.Backend.Address.Port);
        Assert.Same(Fleet.PoolOf(registry), decision.Pool);
    }

    [Fact]
    public async Task WaitAsync_OwnBackendGetsAllItsTunnels_MovesWhereTheKeyLeads()
    {
        var registry = Fleet.Registry(Limits(pool => pool.Affinity.Rules.Add(new() { Header = new() { Name = "X-User" } }), 1, 1));
        var rig = new DispatchRig(registry);
        var own = Next(rig.Decide(DispatchRig.Head(headers: "X-User: alice\r\n"))!);
        var waiting = WaitAsync(rig.Decide(DispatchRig.Head(headers: "X-User: alice\r\n"))!);
        own.Backend.Configure(1, 1, new WorkLimits(MaxHandshakes: 1));

        _ = own.Shaken();

        Assert.NotEqual(own.Backend, (await waiting)!.Value.Backend);
    }

    [Fact]
    public async Task WaitAsync_ProcessHasAllItsTunnels_IsRefusedAsFull()
    {
        var registry = Fleet.Registry(Limits(1));
        var held = Next(Decide(registry));
        var decision = new Decision(Fleet.PoolOf(registry), LeaseKind.Tunnel, _roundRobin, maxTunnels: 1) { Waits = _waits };
        var waiting = WaitAsync(decision);

        _ = held.Shaken();

        Assert.Null(await waiting);
        Assert.Equal(NoBackendReason.Full, decision.Why);
    }

    [Fact]
    public void TryNext_BackendsChangedSinceTheFirstAttempt_KnowsIt()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var decision = Decide(registry);
        Next(decision).Dispose(); // It failed there.
        registry.Order([Fleet.PoolOf(registry).Backends[1]], BackendMode.Cut);
        registry.Apply(Fleet.Options(1, 1, 1));

        Assert.Equal("c", Next(decision).Backend.Name);
    }

    [Fact]
    public void TryNext_BackendIsDrainedSinceItWasRouted_GetsNothing()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        Decision[] decisions = [Decide(registry), Decide(registry)];
        registry.Order([Fleet.PoolOf(registry).Backends[0]], BackendMode.Stop);

        Assert.All(decisions, decision => Assert.Equal("b", Next(decision).Backend.Name));
    }

    [Theory]
    [InlineData("chat")]
    [InlineData("talk")]
    public void TryNext_AllBackendsReplacedSinceItWasRouted_IsServed(string pool)
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var decision = Decide(registry);
        var others = new StickyWsOptions();
        others.Pools[pool] = new PoolOptions { Backends = { ["x"] = new BackendOptions { Address = "http://x" } } };
        var isSame = Fleet.PoolOf(registry).Name == pool;
        registry.Apply(others);

        // By the new ones; by the old if there is no pool of this name any more.
        Assert.Equal(isSame, Next(decision).Backend.Name == "x");
    }

    [Fact]
    public void TryNext_AllBackendsCutSinceItWasRouted_GetsNone()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var decision = Decide(registry);
        registry.Order([.. Fleet.PoolOf(registry).Backends], BackendMode.Cut);

        Assert.False(decision.TryNext(out _));
        Assert.Equal(NoBackendReason.NoneEligible, decision.Why);
    }

    [Fact]
    public async Task WaitAsync_ManyAtOnceThroughReloads_ExceedsNoLimitAndServesEverybody()
    {
        const int clients = 4000;
        var registry = Fleet.Registry(Limits(pool => pool.Queue.Length = clients, 3, 2));
        var backends = Fleet.PoolOf(registry).Backends;
        var (inside, most, served) = (new int[2], new int[2], 0);
        using var done = new CancellationTokenSource();
        var reloading = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                registry.Apply(Limits(pool => pool.Queue.Length = clients, 1, 2));
                await Task.Yield();
                registry.Apply(Limits(pool => pool.Queue.Length = clients, 3, 2));
                await Task.Yield();
            }
        });

        await Parallel.ForAsync(0, clients, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
        {
            var decision = Decide(registry);
            using var leaving = new CancellationTokenSource();
            if (!decision.TryNext(out var lease))
            {
                if (i % 5 == 0) leaving.CancelAfter(TimeSpan.FromMilliseconds(1));
                try
                {
                    lease = await decision.WaitAsync(leaving.Token) ?? throw new InvalidOperationException(decision.Why.ToString());
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref served);
                    return;
                }
            }

            var place = lease.Backend == backends[0] ? 0 : 1;
            var now = Interlocked.Increment(ref inside[place]);
            InterlockedMax(ref most[place], now);
            await Task.Yield();
            Interlocked.Decrement(ref inside[place]);
            if (i % 2 == 0) lease.Dispose();
            else lease.Shaken().Dispose();
            Interlocked.Increment(ref served);
        });
        await done.CancelAsync();
        await reloading;

        Assert.Equal(clients, served);
        Assert.InRange(most[0], 1, 3);
        Assert.InRange(most[1], 1, 2);
        Assert.All(backends, backend => Assert.Equal((0, 0), (backend.ActiveHandshakes, backend.ActiveTunnels)));
        Assert.Equal((0, 0), (registry.Tunnels.Count, Fleet.PoolOf(registry).Lines.Handshakes.Count));
    }

    // A second choice must not use up the turn of the backend that is next, or that one gets no first choices any more.
    [Fact]
    public void TryNext_OneBackendFailsAlways_SharesItsTurnsEvenlyAmongTheOthers()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1, 1, 1));
        var given = new Dictionary<string, int>();

        for (var i = 0; i < 1200; i++)
        {
            var decision = Decide(registry);
            var lease = Next(decision);
            if (lease.Backend.Name == "a") lease = Next(decision);
            given[lease.Backend.Name] = given.GetValueOrDefault(lease.Backend.Name) + 1;
        }

        Assert.Equal([("b", 400), ("c", 400), ("d", 400)], given.Select(pair => (pair.Key, pair.Value)).OrderBy(pair => pair.Key));
    }

    private static StickyWsOptions Limits(params int[] limits) => Limits(_ => { }, limits);

    private static StickyWsOptions Limits(Action<PoolOptions> change, params int[] limits) => Fleet.Options(
        pool =>
        {
            for (var i = 0; i < limits.Length; i++) pool.Backends[Fleet.Name(i)].MaxHandshakes = limits[i];
            change(pool);
        },
        Array.ConvertAll(limits, _ => 1));

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = Volatile.Read(ref most); now > seen;)
        {
            var before = Interlocked.CompareExchange(ref most, now, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    private Decision Decide(BackendRegistry registry)
        => new(Fleet.PoolOf(registry), LeaseKind.Tunnel, _roundRobin, int.MaxValue) { Waits = _waits };

    private static Lease Next(Decision decision)
    {
        Assert.True(decision.TryNext(out var lease));
        return lease;
    }

    private static Task<Lease?> WaitAsync(Decision decision)
    {
        Assert.False(decision.TryNext(out _));
        Assert.Equal(NoBackendReason.Busy, decision.Why);
        return decision.WaitAsync(CancellationToken.None).AsTask().WaitAsync(Wait.Token());
    }
}
