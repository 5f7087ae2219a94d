using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Tests.Backends;

public sealed class BackendRegistryTests
{
    private readonly FakeLogger<BackendRegistry> _logger = new();

    [Fact]
    public void Current_BeforeAnyOptions_HasNoPools() => Assert.Empty(new BackendRegistry(_logger, TimeProvider.System).Current.Pools);

    [Fact]
    public void Apply_FirstOptions_OrdersPoolsAndBackendsByName()
    {
        var options = Fleet.Options();
        foreach (var name in (string[])["c", "A", "b"]) options.Pools[Fleet.Pool].Backends[name] = new() { Address = "http://h:1" };
        foreach (var name in (string[])["zeta", "Alpha"]) options.Pools[name] = new() { Backends = { ["x"] = new() { Address = "http://h:1" } } };

        var registry = Fleet.Registry(options, _logger);

        Assert.Equal(["Alpha", "chat", "zeta"], registry.Current.Pools.Select(pool => pool.Name));
        Assert.Equal(["A", "b", "c"], Fleet.Names(registry.Current.Pools[1].Backends));
        Assert.Same(options, registry.Current.Options);
    }

    [Fact]
    public void Apply_SameBackends_KeepsThemWithStateCountsAndTurns()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var before = Fleet.PoolOf(registry);
        var a = before.Backends[0];
        registry.Report(a, BackendState.Unhealthy, "test");
        Assert.Equal(LeaseResult.Granted, a.TryLease(LeaseKind.Tunnel, int.MaxValue, out _));

        registry.Apply(Fleet.Options(1, 1));

        var after = Fleet.PoolOf(registry);
        Assert.Same(a, after.Backends[0]);
        Assert.Same(before.Backends[1], after.Backends[1]);
        Assert.Same(before.Turns, after.Turns);
        Assert.Equal(BackendState.Unhealthy, a.State);
        Assert.Equal(1, a.ActiveTunnels);
        Assert.Equal(["b"], Fleet.Names(after.Eligible));
    }

    [Fact]
    public void Apply_NamesInAnotherCase_AreTheSameBackends()
    {
        var registry = Fleet.Registry(Fleet.Options(1));
        var a = Fleet.PoolOf(registry).Backends[0];

        registry.Apply(new StickyWsOptions { Pools = { ["CHAT"] = new() { Backends = { ["A"] = new() { Address = "http://127.0.0.1:5000" } } } } });

        Assert.Same(a, Fleet.PoolOf(registry).Backends[0]);
    }

    [Fact]
    public void Apply_BackendAdded_JoinsTheOthers()
    {
        var registry = Fleet.Registry(Fleet.Options(1), _logger);
        var a = Fleet.PoolOf(registry).Backends[0];

        registry.Apply(Fleet.Options(1, 1));

        Assert.Same(a, Fleet.PoolOf(registry).Backends[0]);
        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
        Assert.Equal(2, _logger.Collector.GetSnapshot().Count(record => record.Id.Id == EventIds.BackendAdded));
    }

    [Fact]
    public void Apply_BackendRemoved_DrainsAndKeepsItsLeases()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1), _logger);
        var b = Fleet.PoolOf(registry).Backends[1];
        Assert.Equal(LeaseResult.Granted, b.TryLease(LeaseKind.Tunnel, int.MaxValue, out var lease));

        registry.Apply(Fleet.Options(1));

        Assert.Equal(BackendState.Draining, b.State);
        Assert.Equal(["a"], Fleet.Names(Fleet.PoolOf(registry).Backends));
        Assert.Equal(1, b.ActiveTunnels);
        Assert.Equal(1, registry.Tunnels.Count);
        Assert.Equal("Backend chat/b removed; 1 tunnels and 0 requests stay open",
            Assert.Single(_logger.Collector.GetSnapshot(), record => record.Id.Id == EventIds.BackendRemoved).Message);
        lease.Dispose();
        Assert.Equal(0, registry.Tunnels.Count);
    }

    [Fact]
    public void Apply_PoolRemoved_DrainsItsBackends()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var backends = Fleet.PoolOf(registry).Backends;

        registry.Apply(new StickyWsOptions());

        Assert.Empty(registry.Current.Pools);
        Assert.All(backends, backend => Assert.Equal(BackendState.Draining, backend.State));
    }

    [Fact]
    public void Apply_RemovedBackendComesBack_IsANewOne()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var b = Fleet.PoolOf(registry).Backends[1];
        registry.Apply(Fleet.Options(1));

        registry.Apply(Fleet.Options(1, 1));

        Assert.NotSame(b, Fleet.PoolOf(registry).Backends[1]);
        Assert.Equal(BackendState.Draining, b.State);
        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
    }

    [Fact]
    public void Apply_Weight_ChangesSharesAndNotTheBackend()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var before = Fleet.PoolOf(registry);

        registry.Apply(Fleet.Options(3, 1));

        var after = Fleet.PoolOf(registry);
        Assert.Same(before.Backends[0], after.Backends[0]);
        Assert.Equal(3, after.Backends[0].Weight);
        Assert.Equal(3, Enumerable.Range(0, 4).Count(turn => after.Eligible.InTurn((uint)turn) == 0));
        Assert.Equal(2, Enumerable.Range(0, 4).Count(turn => before.Eligible.InTurn((uint)turn) == 0));
    }

    [Theory]
    [InlineData(false, BackendState.Unknown, 2)]
    [InlineData(false, BackendState.Healthy, 2)]
    [InlineData(false, BackendState.Unhealthy, 1)]
    [InlineData(true, BackendState.Unknown, 1)]
    [InlineData(true, BackendState.Healthy, 2)]
    [InlineData(true, BackendState.Unhealthy, 1)]
    public void Apply_DisabledAndEnabledAgain_IsWhatItWas(bool isProbed, BackendState state, int eligibleAfter)
    {
        var registry = Fleet.Registry(Options(isProbed, true));
        var (a, b) = (Fleet.PoolOf(registry).Backends[0], Fleet.PoolOf(registry).Backends[1]);
        registry.Report(a, BackendState.Healthy, "test");
        registry.Report(b, state, "test");

        registry.Apply(Options(isProbed, false));
        Assert.Equal((BackendState.Draining, state), (b.State, b.Health));
        Assert.Equal(["a"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
        Assert.Same(b, Fleet.PoolOf(registry).Backends[1]);

        registry.Apply(Options(isProbed, true));
        Assert.Same(b, Fleet.PoolOf(registry).Backends[1]);
        Assert.Equal(state, b.State);
        Assert.Equal(eligibleAfter, Fleet.PoolOf(registry).Eligible.Count);
    }

    [Theory]
    [InlineData(BackendState.Healthy, BackendState.Unhealthy, 1)]
    [InlineData(BackendState.Unhealthy, BackendState.Healthy, 2)]
    public void Report_WhileDisabled_HoldsWhenItIsEnabledAgain(BackendState before, BackendState meanwhile, int eligibleAfter)
    {
        var registry = Fleet.Registry(Options(true, true), _logger);
        var (a, b) = (Fleet.PoolOf(registry).Backends[0], Fleet.PoolOf(registry).Backends[1]);
        registry.Report(a, BackendState.Healthy, "test");
        registry.Report(b, before, "test");
        registry.Apply(Options(true, false));
        _logger.Collector.Clear();

        registry.Report(b, meanwhile, "probe");
        Assert.Equal((BackendState.Draining, meanwhile), (b.State, b.Health));
        Assert.Equal(["a"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
        var line = Assert.Single(_logger.Collector.GetSnapshot());
        Assert.Equal((LogLevel.Information, $"Backend chat/b was {before} and is {meanwhile}: probe (it drains)"), (line.Level, line.Message));

        registry.Apply(Options(true, true));
        Assert.Equal(meanwhile, b.State);
        Assert.Equal(eligibleAfter, Fleet.PoolOf(registry).Eligible.Count);
    }

    [Fact]
    public void TrySuspend_WhileItDrains_Never()
    {
        var registry = Fleet.Registry(Options(false, false), _logger);
        _logger.Collector.Clear();

        Assert.False(registry.TrySuspend(Fleet.PoolOf(registry).Backends[1], "a client's doing"));

        Assert.Equal(BackendState.Unknown, Fleet.PoolOf(registry).Backends[1].Health);
        Assert.Empty(_logger.Collector.GetSnapshot());
    }

    private static StickyWsOptions Options(bool isProbed, bool isEnabled) => Fleet.Options(
        pool =>
        {
            pool.Backends["b"].Enabled = isEnabled;
            if (isProbed) pool.Health.Tcp = new();
        },
        1,
        1);

    [Theory]
    [InlineData("http://127.0.0.1:6000")]
    [InlineData("https://127.0.0.1:5000")]
    [InlineData("http://localhost:5000")]
    public void Apply_AnotherAddress_IsANewBackend(string address)
    {
        var registry = Fleet.Registry(Fleet.Options(1));
        var old = Fleet.PoolOf(registry).Backends[0];
        registry.Report(old, BackendState.Unhealthy, "test");

        registry.Apply(Fleet.Options(pool => pool.Backends["a"].Address = address, 1));

        var backend = Fleet.PoolOf(registry).Backends[0];
        Assert.NotSame(old, backend);
        Assert.Equal(BackendState.Unknown, backend.State);
        Assert.Equal(BackendState.Draining, old.State);
    }

    [Fact]
    public void Apply_SameAddressWrittenOtherwise_IsTheSameBackend()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["a"].Address = "http://host", 1));
        var old = Fleet.PoolOf(registry).Backends[0];

        registry.Apply(Fleet.Options(pool => pool.Backends["a"].Address = "HTTP://Host:80/", 1));

        Assert.Same(old, Fleet.PoolOf(registry).Backends[0]);
    }

    [Fact]
    public void Eligible_UnknownWithoutProbes_GetsWork() => Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(Fleet.Registry(Fleet.Options(1, 1))).Eligible));

    [Fact]
    public void Eligible_UnknownWithProbes_GetsWorkOnceItIsHealthy()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Health.Tcp = new(), 1, 1));
        Assert.Empty(Fleet.PoolOf(registry).Eligible);

        registry.Report(Fleet.PoolOf(registry).Backends[1], BackendState.Healthy, "test");

        Assert.Equal(["b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
    }

    [Fact]
    public void Apply_ProbingSwitchedOn_KeepsServingUntilAProbeFails()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        registry.Report(Fleet.PoolOf(registry).Backends[1], BackendState.Unhealthy, "test");

        registry.Apply(Fleet.Options(pool => pool.Health.Tcp = new(), 1, 1, 1));

        var pool = Fleet.PoolOf(registry);
        Assert.Equal([BackendState.Healthy, BackendState.Unhealthy, BackendState.Unknown], pool.Backends.Select(backend => backend.State));
        Assert.Equal(["a"], Fleet.Names(pool.Eligible));
    }

    [Fact]
    public void Apply_ProbingSwitchedOnWhileAllAreOutOfTraffic_KeepsServingUntilAProbeFails()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Unhealthy, "test");

        registry.Apply(Fleet.Options(pool => pool.Health.Tcp = new(), 1, 1));
        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));

        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Unhealthy, "probe");
        Assert.Empty(Fleet.PoolOf(registry).Eligible);
    }

    [Fact]
    public void Apply_ProbingChangedOrSwitchedOff_KeepsWhatIsKnown()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Health.Tcp = new(), 1, 1));
        registry.Report(Fleet.PoolOf(registry).Backends[0], BackendState.Healthy, "test");

        registry.Apply(Fleet.Options(pool => pool.Health.Http = new(), 1, 1));
        Assert.Equal([BackendState.Healthy, BackendState.Unknown], Fleet.PoolOf(registry).Backends.Select(backend => backend.State));
        Assert.Equal(["a"], Fleet.Names(Fleet.PoolOf(registry).Eligible));

        registry.Apply(Fleet.Options(1, 1));
        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
    }

    [Fact]
    public void Report_State_ChangesItWithOneLogLineAndOneEvent()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1), _logger);
        var a = Fleet.PoolOf(registry).Backends[0];
        List<RegistrySnapshot> published = [];
        registry.Changed += published.Add;

        registry.Report(a, BackendState.Unhealthy, "it was silent");
        registry.Report(a, BackendState.Unhealthy, "it was silent again");

        Assert.Same(registry.Current, Assert.Single(published));
        Assert.Equal("Backend chat/a was Unknown and is Unhealthy: it was silent",
            Assert.Single(_logger.Collector.GetSnapshot(), record => record.Id.Id == EventIds.BackendStateChanged).Message);
        Assert.Equal(["b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
    }

    [Fact]
    public void Report_OnADisabledBackend_GivesItNoWork()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["b"].Enabled = false, 1, 1));
        var before = registry.Current;

        registry.Report(Fleet.PoolOf(registry).Backends[1], BackendState.Healthy, "test");

        Assert.Same(before, registry.Current);
        Assert.Equal(BackendState.Draining, Fleet.PoolOf(registry).Backends[1].State);
    }

    [Fact]
    public void Report_OnARemovedBackend_ChangesNothing()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var b = Fleet.PoolOf(registry).Backends[1];
        registry.Apply(Fleet.Options(1));
        var before = registry.Current;
        registry.Changed += _ => Assert.Fail("Nothing changed.");

        registry.Report(b, BackendState.Healthy, "test");

        Assert.Same(before, registry.Current);
        Assert.Equal(BackendState.Draining, b.State);
    }

    [Fact]
    public void Report_OnTheOldBackendOfAChangedAddress_ChangesNothing()
    {
        var registry = Fleet.Registry(Fleet.Options(1));
        var old = Fleet.PoolOf(registry).Backends[0];
        registry.Apply(Fleet.Options(pool => pool.Backends["a"].Address = "http://127.0.0.1:6000", 1));

        registry.Report(old, BackendState.Unhealthy, "test");

        Assert.Equal(BackendState.Unknown, Fleet.PoolOf(registry).Backends[0].State);
        Assert.Single(Fleet.PoolOf(registry).Eligible);
    }

    [Fact]
    public void Report_NoneHealthyAndFailClosed_LeavesNone()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Health.Tcp = new TcpProbeOptions(), 1, 1));

        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Unhealthy, "test");

        Assert.Empty(Fleet.PoolOf(registry).Eligible);
        Assert.False(Fleet.PoolOf(registry).IsPanicking);
    }

    [Fact]
    public void Report_NoneHealthyAndNotProbed_UsesAllButTheDisabled()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["c"].Enabled = false, 1, 1, 1));

        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Unhealthy, "test");

        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
        Assert.True(Fleet.PoolOf(registry).IsPanicking);
        Assert.Empty(Fleet.PoolOf(registry).Suspended);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 2)]
    public void TrySuspend_AllOfThem_TakesHalfAtMost(int backends, int half)
    {
        var registry = Fleet.Registry(Fleet.Options([.. Enumerable.Repeat(1, backends)]));

        var suspended = Fleet.PoolOf(registry).Backends.Count(backend => registry.TrySuspend(backend, "test"));

        Assert.Equal(half, suspended);
        Assert.Equal(backends - half, Fleet.PoolOf(registry).Eligible.Count);
    }

    [Fact]
    public void Report_NoneHealthyAndUseAll_UsesAllButTheDisabledUntilOneIsHealthy()
    {
        var registry = Fleet.Registry(Fleet.Options(
            pool =>
            {
                pool.WhenNoneHealthy = NoneHealthyBehavior.UseAll;
                pool.Backends["c"].Enabled = false;
            },
            1,
            1,
            1));
        foreach (var backend in Fleet.PoolOf(registry).Backends) registry.Report(backend, BackendState.Unhealthy, "test");
        Assert.True(Fleet.PoolOf(registry).IsPanicking);
        Assert.Equal(["a", "b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));

        registry.Report(Fleet.PoolOf(registry).Backends[1], BackendState.Healthy, "test");

        Assert.False(Fleet.PoolOf(registry).IsPanicking);
        Assert.Equal(["b"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
    }

    [Fact]
    public void Apply_AllDisabledAndUseAll_IsNoPanic()
    {
        var registry = Fleet.Registry(Fleet.Options(
            pool =>
            {
                pool.WhenNoneHealthy = NoneHealthyBehavior.UseAll;
                pool.Backends["a"].Enabled = false;
            },
            1));

        Assert.Empty(Fleet.PoolOf(registry).Eligible);
        Assert.False(Fleet.PoolOf(registry).IsPanicking);
    }

    [Fact]
    public void Snapshot_AfterChanges_IsWhatItWas()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 2));
        var before = registry.Current;
        var pool = before.Pools[0];
        var cycle = Cycle();

        registry.Report(pool.Backends[0], BackendState.Unhealthy, "test");
        registry.Apply(Fleet.Options(5, 1, 1));
        registry.Apply(new StickyWsOptions());

        Assert.Same(pool, before.Pools[0]);
        Assert.Equal(["a", "b"], Fleet.Names(pool.Backends));
        Assert.Equal(["a", "b"], Fleet.Names(pool.Eligible));
        Assert.Equal(cycle, Cycle());

        int[] Cycle() => [.. Enumerable.Range(0, 6).Select(turn => pool.Eligible.InTurn((uint)turn))];
    }

    [Fact]
    public void Changed_OnApply_IsRaisedOnceWithWhatIsCurrent()
    {
        var registry = new BackendRegistry(_logger, TimeProvider.System);
        List<RegistrySnapshot> published = [];
        registry.Changed += snapshot =>
        {
            Assert.Same(snapshot, registry.Current);
            published.Add(snapshot);
        };

        registry.Apply(Fleet.Options(1));

        Assert.Same(registry.Current, Assert.Single(published));
    }

    [Fact]
    public void Report_FromManyThreads_LosesNoVerdict()
    {
        var registry = Fleet.Registry(Fleet.Options([.. Enumerable.Repeat(1, 8)]));
        var backends = Fleet.PoolOf(registry).Backends;

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, place =>
        {
            for (var round = 0; round < 200; round++)
                registry.Report(backends[place], round % 2 == 0 ? BackendState.Unhealthy : BackendState.Healthy, "test");
            if (place % 2 == 0) registry.Report(backends[place], BackendState.Unhealthy, "test");
        });

        Assert.Equal(["b", "d", "f", "h"], Fleet.Names(Fleet.PoolOf(registry).Eligible));
    }
}
