using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Observability;

namespace StickyWs.Tests.Backends;

/// <summary>A change of the configuration loses no request: what is new gets work when it is known, and what was there serves until then.</summary>
public sealed class SuccessionTests
{
    private readonly FakeLogger<BackendRegistry> _logger = new();
    private readonly BackendRegistry _registry;

    public SuccessionTests()
    {
        _registry = new BackendRegistry(_logger, TimeProvider.System);
        _registry.Apply(Options(Pool("chat", "a", "b")));
        Healthy("a", "b");
    }

    [Fact]
    public void Apply_AllBackendsReplaced_TheOldServeUntilEveryNewOneWasProbed()
    {
        var old = _registry.Current.Pools[0].Backends;

        _registry.Apply(Options(Pool("chat", "c", "d")));
        Assert.Equal("a b", Serving("/"));
        Assert.All(old, backend => Assert.Equal(BackendState.Healthy, backend.State));
        Assert.Equal(0, Count(EventIds.BackendRemoved));

        Healthy("c");
        Assert.Equal("a b", Serving("/"));

        _registry.NoteProbed(Find("d"));
        Assert.Equal("c", Serving("/"));
        Assert.All(old, backend => Assert.Equal(BackendState.Draining, backend.State));
        Assert.Equal((2, 1, 1), (Count(EventIds.BackendRemoved), Count(EventIds.BackendsAwaited), Count(EventIds.BackendsKnown)));
        Assert.Null(_registry.Current.Before);
    }

    [Fact]
    public void Apply_AllBackendsReplaced_NoneJudged_TheOldServe()
    {
        _registry.Apply(Options(Pool("chat", "c", "d")));

        _registry.NoteProbed(Find("c"));
        _registry.NoteProbed(Find("d"));

        Assert.Equal("a b", Serving("/"));
    }

    [Fact]
    public void Apply_AllBackendsReplaced_NoneHealthy_WhatIsConfiguredHoldsAndTheLogSaysSo()
    {
        _registry.Apply(Options(Pool("chat", "c", "d")));

        Unhealthy("c");
        Assert.Equal("a b", Serving("/"));
        Unhealthy("d");

        Assert.Equal("", Serving("/"));
        var line = Assert.Single(_logger.Collector.GetSnapshot(), record => record.Id.Id == EventIds.NewBackendsUnhealthy);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Equal(2, Count(EventIds.BackendRemoved));
    }

    [Fact]
    public void Apply_AllBackendsReplaced_AnOldOneThatFailsMeanwhileIsOut()
    {
        var a = Find("a");
        _registry.Apply(Options(Pool("chat", "c")));

        _registry.Report(a, BackendState.Unhealthy, "test");

        Assert.Equal("b", Serving("/"));
    }

    [Fact]
    public void Apply_SomeBackendsReplaced_TheOldServeUntilTheNewOneWasProbed()
    {
        _registry.Apply(Options(Pool("chat", "a", "c")));
        Assert.Equal("a b", Serving("/"));

        Healthy("c");

        Assert.Equal("a c", Serving("/"));
    }

    [Fact]
    public void Apply_AddressChanged_TheOldServesUntilTheNewIsKnown()
    {
        _registry.Apply(Options(Pool("chat", "a=7000", "b=7001")));
        Assert.Equal([5000, 5001], Ports("/"));

        Healthy("a", "b");

        Assert.Equal([7000, 7001], Ports("/"));
    }

    [Fact]
    public void Apply_PoolRenamed_TheOldPoolServesUntilTheNewIsKnown()
    {
        _registry.Apply(Options(Pool("talk", "a", "b")));
        Assert.Equal("chat: a b", Pooled("/"));

        Healthy("a", "b");

        Assert.Equal("talk: a b", Pooled("/"));
    }

    [Fact]
    public void Apply_PoolAddedForPartOfAnother_TheOtherServesUntilItIsKnown()
    {
        _registry.Apply(Options(Pool("chat", "a", "b"), Pool("api", "x").Under("/api")));
        Assert.Equal(("chat: a b", "chat: a b"), (Pooled("/api/1"), Pooled("/")));

        Healthy("x");

        Assert.Equal(("api: x", "chat: a b"), (Pooled("/api/1"), Pooled("/")));
    }

    [Fact]
    public void Apply_PoolAddedWhereNoneWas_RequestsStayWithTheApplicationUntilItWasProbed()
    {
        _registry.Apply(Options(Pool("chat", "a", "b").Under("/chat")));
        Assert.Equal("", Pooled("/api"));

        _registry.Apply(Options(Pool("chat", "a", "b").Under("/chat"), Pool("api", "x").Under("/api")));
        Assert.Equal("", Pooled("/api"));
        _registry.NoteProbed(Find("x"));

        Assert.Equal("api: ", Pooled("/api"));
    }

    [Fact]
    public void Apply_AllDisabledAndOthersAdded_TheDisabledServeUntilTheNewAreKnown()
    {
        _registry.Apply(Options(Pool("chat", "a-", "b-", "c")));
        Assert.Equal("a b", Serving("/"));
        Assert.Equal(BackendState.Draining, Find("a").State);

        Healthy("c");

        Assert.Equal("c", Serving("/"));
    }

    // Told to go while nobody else serves, its clients would find nothing, or come back to be told again.
    [Theory]
    [InlineData(BackendMode.HandOff)]
    [InlineData(BackendMode.Cut)]
    public void Apply_AllHandedOffAndOthersAdded_TheyServeAndKeepTheirTunnelsUntilTheNewAreKnown(BackendMode mode)
    {
        List<string> turned = [];
        _registry.Turned += backend => turned.Add($"{backend.Name} {backend.Mode}");
        _registry.Apply(Options(Pool("chat", "a", "b", "c").Turned(mode, "a", "b")));
        Assert.Equal("a b", Serving("/"));
        Assert.Equal(["a Stop", "b Stop"], turned);

        Healthy("c");

        Assert.Equal("c", Serving("/"));
        Assert.Equal(["a Stop", "b Stop", $"a {mode}", $"b {mode}"], turned);
    }

    [Fact]
    public void Apply_OneHandedOffAndAnotherAdded_ItIsHandedOffAtOnce()
    {
        List<string> turned = [];
        _registry.Turned += backend => turned.Add($"{backend.Name} {backend.Mode}");

        _registry.Apply(Options(Pool("chat", "a", "b", "c").Turned(BackendMode.HandOff, "a")));

        Assert.Equal("b", Serving("/"));
        Assert.Equal(["a HandOff"], turned);
    }

    [Fact]
    public void Order_OfOneThatIsHeldBack_Counts()
    {
        _registry.Apply(Options(Pool("chat", "a", "b", "c").Turned(BackendMode.HandOff, "a", "b")));

        _registry.Order([Find("a")], BackendMode.Stop);
        Assert.Equal("b", Serving("/"));
        Healthy("c");

        Assert.Equal((BackendMode.Stop, BackendMode.HandOff), (Find("a").Mode, Find("b").Mode));
    }

    [Fact]
    public void Apply_AgainWhileHeldBack_TheLastModeCounts()
    {
        _registry.Apply(Options(Pool("chat", "a", "b", "c").Turned(BackendMode.HandOff, "a", "b")));
        _registry.Apply(Options(Pool("chat", "a", "b", "c").Turned(BackendMode.Cut, "b")));
        Assert.Equal((BackendMode.On, BackendMode.Cut), (Find("a").Mode, Find("b").Mode));

        Healthy("c");

        Assert.Equal("a c", Serving("/"));
    }

    [Fact]
    public void Apply_OneDisabledAndAnotherAdded_TheDisabledGetsNothingMore()
    {
        _registry.Apply(Options(Pool("chat", "a-", "b", "c")));

        Assert.Equal("b", Serving("/"));
    }

    [Fact]
    public void Apply_Unprobed_NothingIsWaitedFor()
    {
        _registry.Apply(Options(Pool("chat", "c", "d").Unprobed()));

        Assert.Equal("c d", Serving("/"));
        Assert.Null(_registry.Current.Before);
    }

    [Fact]
    public void Apply_FromUnprobedToProbedWithNewBackends_TheOldServe()
    {
        _registry.Apply(Options(Pool("chat", "c", "d").Unprobed()));

        _registry.Apply(Options(Pool("chat", "e")));
        Assert.Equal("c d", Serving("/"));
        _registry.Report(_registry.Current.Before!.Pools[0].Backends[0], BackendState.Unhealthy, "refused");
        Assert.Equal("d", Serving("/"));
        Healthy("e");

        Assert.Equal("e", Serving("/"));
    }

    [Fact]
    public void Apply_ProbeChanged_NothingIsWaitedFor()
    {
        _registry.Apply(Options(Pool("chat", "a", "b").With(pool => pool.Health.Tcp!.Fall = 1)));

        Assert.Equal("a b", Serving("/"));
        Assert.Null(_registry.Current.Before);
    }

    [Fact]
    public void Apply_UseAll_TheOldServeAsLongAsTheNewAreUnknown()
    {
        _registry.Apply(Options(Pool("chat", "c", "d").With(pool => pool.WhenNoneHealthy = NoneHealthyBehavior.UseAll)));
        Assert.Equal("a b", Serving("/"));

        Unhealthy("c", "d");

        Assert.Equal("c d", Serving("/"));
    }

    [Fact]
    public void Apply_AgainBeforeTheNewAreKnown_TheFirstGoOnServing()
    {
        for (var i = 0; i < 40; i++) _registry.Apply(Options(Pool("chat", $"x{i}"), Pool("more", $"y{i}").Under("/more")));
        Assert.Equal(("chat: a b", "chat: a b"), (Pooled("/"), Pooled("/more")));
        Assert.InRange(_registry.Current.RevisionsInUse.Count(), 2, 3);

        Healthy("x39", "y39");

        Assert.Equal(("chat: x39", "more: y39"), (Pooled("/"), Pooled("/more")));
        Assert.Null(_registry.Current.Before);
    }

    [Fact]
    public void Apply_AgainWhileOnePoolIsKnown_EachGoesWhereItWasServedLast()
    {
        _registry.Apply(Options(Pool("chat", "c"), Pool("more", "x").Under("/more")));
        Healthy("x");

        for (var i = 0; i < 40; i++) _registry.Apply(Options(Pool("chat", $"d{i}"), Pool("more", "x").Under("/more")));

        Assert.Equal(("chat: a b", "more: x"), (Pooled("/"), Pooled("/more")));
        Assert.InRange(_registry.Current.RevisionsInUse.Count(), 2, 10);
    }

    [Fact]
    public void Apply_BackToWhatItWas_TheOldBackendsGoOnAsTheyAre()
    {
        var a = Find("a");
        _registry.Apply(Options(Pool("chat", "c")));

        _registry.Apply(Options(Pool("chat", "a", "b")));

        Assert.Same(a, Find("a"));
        Assert.Equal("a b", Serving("/"));
        Assert.Null(_registry.Current.Before);
        Assert.Equal(BackendState.Healthy, a.State);
    }

    [Fact]
    public void Apply_PoolRemoved_IsGoneAtOnceAlthoughAnotherIsWaitedFor()
    {
        _registry.Apply(Options(Pool("chat", "a", "b").Under("/chat"), Pool("more", "x").Under("/more")));
        Healthy("x");

        _registry.Apply(Options(Pool("more", "y").Under("/more")));

        Assert.Equal(("", "more: x"), (Pooled("/chat"), Pooled("/more")));
    }

    [Fact]
    public void Apply_TheFirstOptions_WaitForNobody()
    {
        var registry = new BackendRegistry(_logger, TimeProvider.System);

        registry.Apply(Options(Pool("chat", "a")));

        Assert.Null(registry.Current.Before);
        Assert.NotNull(new PoolMatcher(registry.Current).Match("host", "/"));
    }

    private void Healthy(params string[] names) => Array.ForEach(names, name => _registry.Report(Find(name), BackendState.Healthy, "test"));

    private void Unhealthy(params string[] names) => Array.ForEach(names, name => _registry.Report(Find(name), BackendState.Unhealthy, "test"));

    private Backend Find(string name) => _registry.Current.Pools.SelectMany(pool => pool.Backends).Single(backend => backend.Name == name);

    private int Count(int id) => _logger.Collector.GetSnapshot().Count(record => record.Id.Id == id);

    private PoolSnapshot? Match(string path) => new PoolMatcher(_registry.Current).Match("host", path);

    private string Serving(string path) => string.Join(' ', Fleet.Names(Match(path)!.Eligible));

    private int[] Ports(string path) => [.. Match(path)!.Eligible.Select(backend => backend.Address.Port)];

    private string Pooled(string path) => Match(path) is { } pool ? $"{pool.Name}: {Serving(path)}" : "";

    private static StickyWsOptions Options(params Written[] pools)
    {
        var options = new StickyWsOptions();
        foreach (var pool in pools) options.Pools[pool.Name] = pool.Options;
        return options;
    }

    // Backends by name, with =port for another port than that of the name, with - for one that is disabled.
    private static Written Pool(string name, params string[] backends)
    {
        var pool = new PoolOptions { Health = { Tcp = new() } };
        foreach (var text in backends)
        {
            var parts = text.TrimEnd('-').Split('=');
            pool.Backends[parts[0]] = new BackendOptions
            {
                Address = $"http://127.0.0.1:{(parts.Length == 2 ? parts[1] : 5000 + parts[0][0] - 'a')}",
                Enabled = !text.EndsWith('-')
            };
        }

        return new Written(name, pool);
    }

    private sealed record Written(string Name, PoolOptions Options)
    {
        public Written Under(string prefix) => With(pool => pool.Match.PathPrefixes.Add(prefix));

        public Written Turned(BackendMode mode, params string[] names)
            => With(pool => Array.ForEach(names, name => pool.Backends[name].Mode = mode));

        public Written Unprobed() => With(pool => pool.Health.Tcp = null);

        public Written With(Action<PoolOptions> change)
        {
            change(Options);
            return this;
        }
    }
}
