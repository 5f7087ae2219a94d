using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Http1;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

public sealed class DecisionTests
{
    private readonly PolicyRunner _roundRobin = new(new RoundRobinPolicy(), new FakeLogger<PolicyRunner>());

    [Fact]
    public void TryNext_AskedAgainAndAgain_GivesEachBackendOnceAndThenAllTried()
    {
        var decision = Decide(Fleet.Registry(Fleet.Options(1, 1, 1, 1)));

        Assert.Equal(["a", "b", "c", "d"], Taken(decision).Order());
        Assert.Equal(NoBackendReason.AllTried, decision.Why);
        Assert.False(decision.TryNext(out _));
    }

    [Fact]
    public void TryNext_UnevenWeights_StillGivesEachBackendOnce()
    {
        var registry = Fleet.Registry(Fleet.Options(256, 1, 1));

        for (var i = 0; i < 100; i++) Assert.Equal(["a", "b", "c"], Taken(Decide(registry)).Order());
    }

    [Fact]
    public void TryNext_PolicyThatAlwaysPicksTheFirst_StillNeverGivesABackendTwice()
    {
        var stubborn = new PolicyRunner(new OwnPolicy((_, _) => 0), new FakeLogger<PolicyRunner>());

        Assert.Equal(["a", "b", "c"], Taken(new Decision(Fleet.PoolOf(Fleet.Registry(Fleet.Options(1, 1, 1))), LeaseKind.Tunnel, stubborn, int.MaxValue)));
    }

    [Fact]
    public void Reason_FirstAndFurtherBackends_IsPolicyAndThenRetry()
    {
        var decision = Decide(Fleet.Registry(Fleet.Options(1, 1)));

        Assert.True(decision.TryNext(out _));
        Assert.Equal((DecisionReason.Policy, NoBackendReason.None), (decision.Reason, decision.Why));
        Assert.True(decision.TryNext(out _));
        Assert.Equal((DecisionReason.Retry, NoBackendReason.None), (decision.Reason, decision.Why));
    }

    [Fact]
    public void Reason_PanickingPool_IsPanic()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.WhenNoneHealthy = NoneHealthyBehavior.UseAll, 1, 1));
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Unhealthy, "test");

        var decision = Decide(registry);

        Assert.True(decision.TryNext(out _));
        Assert.Equal(DecisionReason.Panic, decision.Reason);
    }

    [Fact]
    public void TryNext_NoneEligible_SaysSo()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Health.Tcp = new TcpProbeOptions(), 1));
        registry.Report(Fleet.PoolOf(registry).Backends[0], BackendState.Unhealthy, "test");

        var decision = Decide(registry);

        Assert.False(decision.TryNext(out _));
        Assert.Equal(NoBackendReason.NoneEligible, decision.Why);
    }

    [Fact]
    public void TryNext_FullBackend_IsPassedOver()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].MaxTunnels = 1, 1, 1));

        var taken = Enumerable.Range(0, 20).Select(_ => First(Decide(registry))).ToArray();

        Assert.Single(taken, "a");
        Assert.Equal([1, 19], Fleet.PoolOf(registry).Backends.Select(backend => backend.ActiveTunnels));
    }

    [Fact]
    public void TryNext_EveryBackendFull_IsFullAndCountsNothing()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].MaxTunnels = pool.Backends["b"].MaxTunnels = 1, 1, 1));
        Assert.Equal(["a", "b"], Taken(Decide(registry)).Order());

        var decision = Decide(registry);

        Assert.False(decision.TryNext(out _));
        Assert.Equal(NoBackendReason.Full, decision.Why);
        Assert.Equal(2, registry.Tunnels.Count);
    }

    [Fact]
    public void TryNext_OneUnreachableTheOtherFull_IsFull()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["b"].MaxTunnels = 1, 1, 1));
        Assert.Equal(LeaseResult.Granted, Fleet.PoolOf(registry).Backends[1].TryLease(LeaseKind.Tunnel, int.MaxValue, out _));

        var decision = Decide(registry);

        Assert.Equal(["a"], Taken(decision));
        Assert.Equal(NoBackendReason.Full, decision.Why);
    }

    [Fact]
    public void TryNext_ProcessFull_IsFullAtOnceForTunnelsAndNotForRequests()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        Assert.Equal("a", First(Decide(registry, maxTunnels: 1)));

        var decision = Decide(registry, maxTunnels: 1);

        Assert.False(decision.TryNext(out _));
        Assert.Equal(NoBackendReason.Full, decision.Why);
        Assert.True(new Decision(Fleet.PoolOf(registry), LeaseKind.Request, _roundRobin, 1).TryNext(out _));
        Assert.Equal(1, registry.Tunnels.Count);
    }

    [Fact]
    public void TryNext_RequestsOnAFullBackend_AreNotCapped()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].MaxTunnels = 1, 1));
        Assert.Equal("a", First(Decide(registry)));

        Assert.True(new Decision(Fleet.PoolOf(registry), LeaseKind.Request, _roundRobin, int.MaxValue).TryNext(out _));
    }

    [Fact]
    public void TryNext_FirstPickSucceeds_AllocatesNothingBeyondTheDecision()
    {
        var pool = Fleet.PoolOf(Fleet.Registry(Fleet.Options(2, 1, 1)));
        var decisions = Enumerable.Range(0, 1000).Select(_ => new Decision(pool, LeaseKind.Request, _roundRobin, int.MaxValue)).ToArray();
        Assert.True(decisions[0].TryNext(out _));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i < decisions.Length; i++) decisions[i].TryNext(out _);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Refuse_ManyTimes_SaysFromOnceToTwiceTheTime()
    {
        var decision = Decide(Fleet.Registry(Fleet.Options(pool => pool.RetryAfter = TimeSpan.FromSeconds(2.5), 1)));

        var said = Enumerable.Range(0, 1000).Select(_ => decision.Refuse(Refusal.Busy).Header!.Value.Value).Distinct().Order();

        Assert.Equal(["3", "4", "5", "6"], said);
    }

    [Fact]
    public void TryNext_ManyThreads_SpreadsExactly()
    {
        var registry = Fleet.Registry(Fleet.Options(3, 1));

        Parallel.For(0, 4000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => Assert.True(Decide(registry).TryNext(out var _)));

        Assert.Equal([3000, 1000], Fleet.PoolOf(registry).Backends.Select(backend => backend.ActiveTunnels));
    }

    private Decision Decide(BackendRegistry registry, int maxTunnels = int.MaxValue)
        => new(Fleet.PoolOf(registry), LeaseKind.Tunnel, _roundRobin, maxTunnels);

    private static string First(Decision decision)
    {
        Assert.True(decision.TryNext(out var lease));
        return lease.Backend.Name;
    }

    private static List<string> Taken(Decision decision)
    {
        List<string> taken = [];
        while (decision.TryNext(out var lease)) taken.Add(lease.Backend.Name);
        return taken;
    }
}
