using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Tests.Backends;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Balancing;

/// <summary>The shares of backends that are new or back.</summary>
public sealed class SlowStartTests
{
    private static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(100);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Start_AllAreNew_NobodyIsSpared()
    {
        var registry = Healthy(1, 1, 1);

        Assert.All(Fleet.PoolOf(registry).Backends, backend => Assert.Equal(1.0, backend.EffectiveWeight));
        Assert.False(Fleet.PoolOf(registry).Eligible.IsWarming);
    }

    [Fact]
    public void Report_BackendThatWasDownAtTheStart_IsSparedOnceItIsUp()
    {
        var registry = Fleet.Registry(Options(1, 1), time: _time);
        registry.Report(Backend(registry, 0), BackendState.Healthy, "test");
        registry.Report(Backend(registry, 1), BackendState.Unhealthy, "test");

        registry.Report(Backend(registry, 1), BackendState.Healthy, "test");

        Assert.Equal([1.0, 0.1], Weights(registry));
    }

    [Fact]
    public void Report_Returned_ItsShareGrowsFromATenthToAll()
    {
        var registry = Returned(4, 2);

        Assert.Equal([4.0, 0.2], Weights(registry));
        Advance(SlowStart / 2);
        Assert.Equal(4.0, Weights(registry)[0]);
        Assert.Equal(1.1, Weights(registry)[1], tolerance: 0.05);
        Advance((SlowStart / 2) - TimeSpan.FromSeconds(1));
        Assert.InRange(Weights(registry)[1], 1.8, 1.999);
        Advance(SlowStart / 10);
        Assert.Equal([4.0, 2.0], Weights(registry));
        Assert.False(Fleet.PoolOf(registry).Eligible.IsWarming);
    }

    [Fact]
    public void Apply_BackendAdded_IsSpared()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.SlowStart = SlowStart, 1, 1), time: _time);

        registry.Apply(Fleet.Options(pool => pool.SlowStart = SlowStart, 1, 1, 1));

        Assert.Equal([1.0, 1.0, 0.1], Weights(registry));
    }

    [Fact]
    public void Apply_BackendEnabledAgain_IsSpared()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => (pool.SlowStart, pool.Backends["b"].Enabled) = (SlowStart, false), 1, 1), time: _time);

        registry.Apply(Fleet.Options(pool => pool.SlowStart = SlowStart, 1, 1));

        Assert.Equal([1.0, 0.1], Weights(registry));
    }

    [Fact]
    public void Apply_WithoutSlowStart_EndsIt()
    {
        var registry = Returned(1, 1);

        registry.Apply(Fleet.Options(pool => pool.Health.Tcp = new TcpProbeOptions(), 1, 1));

        Assert.Equal([1.0, 1.0], Weights(registry));
        Assert.Equal([50, 50], Turns(registry, 100));
    }

    [Fact]
    public void Report_DiesAgainAndReturns_BeginsAnew()
    {
        var registry = Returned(1, 1);
        Advance(SlowStart / 2);
        registry.Report(Backend(registry, 1), BackendState.Unhealthy, "test");
        Advance(SlowStart * 2);

        registry.Report(Backend(registry, 1), BackendState.Healthy, "test");

        Assert.Equal([1.0, 0.1], Weights(registry));
    }

    [Fact]
    public void Step_SharesGrow_TellsNobodyAndStopsWithThem()
    {
        var registry = Returned(1, 1);
        var told = 0;
        registry.Changed += _ => told++;
        var before = registry.Current;

        Advance(SlowStart * 2);

        Assert.Equal(0, told);
        Assert.NotSame(before, registry.Current);
        var after = registry.Current;
        Advance(SlowStart);
        Assert.Same(after, registry.Current);
    }

    // The step of one pool is due in minutes, that of the other in half a second.
    [Fact]
    public void Step_PoolWithShorterTime_DoesNotWaitForTheOthers()
    {
        var options = Options(1, 1);
        options.Pools[Fleet.Pool].SlowStart = TimeSpan.FromHours(1);
        options.Pools["fast"] = Options(1, 1).Pools[Fleet.Pool];
        options.Pools["fast"].SlowStart = TimeSpan.FromSeconds(10);
        var registry = Fleet.Registry(options, time: _time);
        foreach (var pool in registry.Current.Pools) Return(pool);
        var fast = registry.Current.Pools.Single(pool => pool.Name == "fast").Backends[1];

        Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(0.55, fast.EffectiveWeight, tolerance: 0.05);

        void Return(PoolSnapshot pool)
        {
            foreach (var backend in pool.Backends) registry.Report(backend, BackendState.Healthy, "test");
            registry.Report(pool.Backends[1], BackendState.Unhealthy, "test");
            registry.Report(pool.Backends[1], BackendState.Healthy, "test");
        }
    }

    // While a new backend is awaited, the pool as it was still serves, with backends that both share.
    [Fact]
    public void Apply_LongerSlowStartWhileTheOldPoolServes_CountsAtOnce()
    {
        var registry = Returned(1, 1);
        registry.Apply(Fleet.Options(pool => pool.Health.Tcp = new TcpProbeOptions(), 1, 1)); // It had none before.
        registry.Report(Backend(registry, 1), BackendState.Unhealthy, "test");

        registry.Apply(Options(1, 1, 1));
        registry.Report(registry.Current.Pools[0].Backends[1], BackendState.Healthy, "test");

        Assert.NotNull(registry.Current.Before);
        Assert.Equal(0.1, registry.Current.Pools[0].Backends[1].EffectiveWeight);
    }

    [Fact]
    public void RoundRobin_WhileOneWarmsUp_IsExactForTheOthersAndGivesItItsShare()
    {
        var registry = Returned(2, 1, 1);

        for (var part = 0; part < 10; part++)
        {
            var pool = Fleet.PoolOf(registry);
            var share = pool.Backends[2].EffectiveWeight;
            var cycle = Enumerable.Range(0, 6000).Select(turn => pool.Eligible.InTurn((uint)turn)).ToArray();
            var turns = Enumerable.Range(0, 3).Select(place => cycle.Count(index => index == place)).ToArray();

            Assert.InRange(turns[0], (2 * turns[1]) - 3, (2 * turns[1]) + 3);
            Assert.Equal(share, (double)turns[2] / turns[1], tolerance: 0.03);
            Advance(SlowStart / 10);
        }
    }

    [Fact]
    public void RoundRobin_ManyHeavyBackends_HasAShortCycle()
    {
        var registry = Returned([.. Enumerable.Repeat(256, 25), 256]);
        var eligible = Fleet.PoolOf(registry).Eligible;

        var turns = Enumerable.Range(0, 8192).Select(turn => eligible.InTurn((uint)turn)).ToArray();

        Assert.Equal(0.1, turns.Count(index => index == 25) / (double)turns.Count(index => index == 0), tolerance: 0.02);
    }

    [Fact]
    public void LeastConnections_WhileOneWarmsUp_GivesItAPartOfTheOthersLoad()
    {
        var registry = Returned(1, 1);
        var policy = new PolicyRunner(new LeastConnectionsPolicy(), new FakeLogger<PolicyRunner>());

        Assert.Equal(10.0, LoadOf(registry, policy, 1100), tolerance: 0.2);
        Advance(SlowStart * 2);
        Assert.Equal(1.0, LoadOf(registry, policy, 1000), tolerance: 0.01);
    }

    // The others have all the load there is.
    [Fact]
    public void LeastConnections_OneReturnsToALoadedPool_GetsAPartOfTheNewWork()
    {
        var registry = Healthy(1, 1);
        var policy = new PolicyRunner(new LeastConnectionsPolicy(), new FakeLogger<PolicyRunner>());
        for (var i = 0; i < 2000; i++) Assert.Equal(LeaseResult.Granted, Backend(registry, 0).TryLease(LeaseKind.Tunnel, int.MaxValue, out _));
        registry.Report(Backend(registry, 1), BackendState.Unhealthy, "test");
        registry.Report(Backend(registry, 1), BackendState.Healthy, "test");

        for (var i = 0; i < 100; i++) Assert.True(new Decision(Fleet.PoolOf(registry), LeaseKind.Tunnel, policy, int.MaxValue).TryNext(out _));

        Assert.InRange(Backend(registry, 1).ActiveTunnels, 9, 11);
    }

    [Fact]
    public void PowerOfTwoChoices_WhileOneWarmsUp_GivesItAPartOfTheOthersLoad()
    {
        var registry = Returned(1, 1, 1);
        var policy = new PolicyRunner(new PowerOfTwoChoicesPolicy(), new FakeLogger<PolicyRunner>());

        Assert.Equal(10.0, LoadOf(registry, policy, 2100), tolerance: 3);
    }

    [Theory]
    [InlineData(false, 0.1)]
    [InlineData(true, 1)]
    public void OwnPolicy_WhileOneWarmsUp_IsFollowedInAPartOfItsChoicesUnlessItSparesByItself(bool honours, double expected)
    {
        var registry = Returned(1, 1);
        var policy = new PolicyRunner(new Alternating(honours), new FakeLogger<PolicyRunner>());
        var eligible = Fleet.PoolOf(registry).Eligible;

        var given = Enumerable.Range(0, 20_000).Count(turn => eligible[policy.Pick(eligible, (uint)turn)].Name == "b");

        Assert.Equal(expected, given / 10_000.0, tolerance: 0.01);
    }

    [Fact]
    public void Decision_ClientWithAKey_IsNotKeptFromAWarmingBackend()
    {
        var options = Options(1, 1);
        options.Pools[Fleet.Pool].Affinity.Rules.Add(new() { Header = new() { Name = "X-User" } });
        var registry = Fleet.Registry(options, time: _time);
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Healthy, "test");
        var before = Enumerable.Range(0, 50).Select(user => BackendOf(registry, user)).ToArray();
        registry.Report(Backend(registry, 1), BackendState.Unhealthy, "test");
        registry.Report(Backend(registry, 1), BackendState.Healthy, "test");

        Assert.Equal([1.0, 0.1], Weights(registry));
        Assert.Equal(before, Enumerable.Range(0, 50).Select(user => BackendOf(registry, user)));
    }

    private static StickyWsOptions Options(params int[] weights)
        => Fleet.Options(pool => (pool.SlowStart, pool.Health.Tcp) = (SlowStart, new TcpProbeOptions()), weights);

    private static Backend Backend(BackendRegistry registry, int place) => Fleet.PoolOf(registry).Backends[place];

    private static double[] Weights(BackendRegistry registry) => [.. Fleet.PoolOf(registry).Backends.Select(backend => backend.EffectiveWeight)];

    private static int[] Turns(BackendRegistry registry, int turns)
    {
        var eligible = Fleet.PoolOf(registry).Eligible;
        var given = new int[eligible.Count];
        for (uint turn = 0; turn < turns; turn++) given[eligible.InTurn(turn)]++;
        return given;
    }

    // How many times the load of the last backend the first one has, after so many pieces of work that stay.
    private static double LoadOf(BackendRegistry registry, PolicyRunner policy, int work)
    {
        List<Lease> leases = [];
        for (var i = 0; i < work; i++)
        {
            Assert.True(new Decision(Fleet.PoolOf(registry), LeaseKind.Tunnel, policy, int.MaxValue).TryNext(out var lease));
            leases.Add(lease);
        }

        var backends = Fleet.PoolOf(registry).Backends;
        var load = backends[0].ActiveTunnels / (double)backends[^1].ActiveTunnels;
        foreach (var lease in leases) lease.Dispose();
        return load;
    }

    private static string BackendOf(BackendRegistry registry, int user)
    {
        Assert.True(new DispatchRig(registry).Decide(DispatchRig.Head(headers: $"X-User: {user}\r\n"))!.TryNext(out var lease));
        using (lease) return lease.Backend.Name;
    }

    private BackendRegistry Healthy(params int[] weights)
    {
        var registry = Fleet.Registry(Options(weights), time: _time);
        foreach (var backend in Fleet.PoolOf(registry).Backends)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            registry.Report(backend, BackendState.Healthy, "test");
        }

        return registry;
    }

    // The last one has been away.
    private BackendRegistry Returned(params int[] weights)
    {
        var registry = Healthy(weights);
        registry.Report(Backend(registry, weights.Length - 1), BackendState.Unhealthy, "test");
        registry.Report(Backend(registry, weights.Length - 1), BackendState.Healthy, "test");
        return registry;
    }

    private void Advance(TimeSpan time)
    {
        for (var i = 0; i < 40; i++) _time.Advance(time / 40);
    }

    private sealed class Alternating(bool honours) : ILoadBalancingPolicy
    {
        public string Name => "Alternating";

        public bool HonoursSlowStart => honours;

        public int Pick(BackendSet candidates, uint turn) => (int)(turn % (uint)candidates.Count);
    }
}
