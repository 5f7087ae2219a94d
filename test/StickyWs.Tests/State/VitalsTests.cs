using Microsoft.Extensions.Time.Testing;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.State;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.State;

/// <summary>What the state shows of backends beyond their state, and what is kept while somebody looks.</summary>
public sealed class VitalsTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Attention _attention;
    private readonly RecentLines _recent;
    private StateRig? _rig;

    public VitalsTests() => (_attention, _recent) = (new Attention(_clock), new RecentLines(_clock));

    public void Dispose()
    {
        _attention.Dispose();
        _rig?.Dispose();
    }

    [Fact]
    public void Breaker_WithoutProbes_IsOpen_OrHalfOpenWhileOneRequestMayTry()
    {
        var (state, registry) = Start(_ => { });
        Assert.Equal(BreakerState.Closed, B(state).Breaker);

        registry.Report(Find(registry), BackendState.Unhealthy, "traffic: refused");
        Assert.Equal((BreakerState.Open, "traffic"), (B(state).Breaker, B(state).Conviction!.By));
        Find(registry).OfferTrial();
        Assert.Equal(BreakerState.HalfOpen, B(state).Breaker);
        Assert.True(Find(registry).TryTakeTrial());
        Assert.Equal(BreakerState.HalfOpen, B(state).Breaker);
    }

    [Fact]
    public void Breaker_WithProbes_IsIsolated()
    {
        var (state, registry) = Start(pool => pool.Health.Tcp = new TcpProbeOptions());

        registry.Report(Find(registry), BackendState.Unhealthy, "traffic raised suspicion, and the probe agrees: refused");

        Assert.Equal((BreakerState.Isolated, "probe"), (B(state).Breaker, B(state).Conviction!.By));
    }

    [Fact]
    public void Breaker_WithoutEither_IsOff()
        => Assert.Equal(BreakerState.Off, B(Start(pool => pool.Health.Passive.Enabled = false).State).Breaker);

    [Fact]
    public void Weights_AndShares_AreShown()
    {
        var (state, registry) = Start(pool => pool.SlowStart = TimeSpan.FromSeconds(100));
        registry.OrderWeight([Find(registry)], 4);
        registry.Order([Find(registry)], BackendMode.Stop);
        registry.Order([Find(registry)], BackendMode.On);

        Assert.Equal((4, 1, 0.1), (B(state).Weight, B(state).ConfiguredWeight, B(state).Share));
    }

    [Fact]
    public void Work_IsCountedFromTheFirstLookOn_AndNotAfterTheLast()
    {
        var (state, registry) = Start(_ => { });
        Find(registry).Note(WorkCounter.Opened);
        Assert.Null(Find(registry).Work);

        Assert.Equal(0, B(state).Recent!.Opened);
        Find(registry).Note(WorkCounter.Opened);
        Assert.Equal(1, B(state).Recent!.Opened);

        for (var i = 0; i < 10; i++) _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(Find(registry).Work);
        Assert.Equal((0, TimeSpan.Zero), (B(state).Recent!.Opened, B(state).Recent!.Span));
    }

    [Fact]
    public void Ends_OfTunnelsWithoutARecord_AreKeptWhileSomebodyLooks()
    {
        var (state, _) = Start(_ => { });
        _rig!.Open("before").Note(EndReason.ClientClosed);
        _rig!.Tunnels.Close(_rig!.Open("unseen"));
        Assert.Empty(state.ReadEnds());

        var tunnel = _rig!.Open("seen");
        tunnel.CountToClient(7);
        tunnel.Note(EndReason.BackendClosed);
        _clock.Advance(TimeSpan.FromSeconds(3));
        _rig!.Tunnels.Close(tunnel);

        var end = Assert.Single(state.ReadEnds());
        Assert.Equal(("seen", EndReason.BackendClosed, TimeSpan.FromSeconds(3)), (end.Id, end.Reason, end.Age));
        Assert.Equal((7, _clock.GetUtcNow()), (end.BytesToClient, end.At));
    }

    [Fact]
    public async Task Watch_TellsOfWeights_AndOfRefusals()
    {
        var (state, registry) = Start(_ => { });
        await using var watch = state.WatchAsync(Wait.Token()).GetAsyncEnumerator();
        await watch.MoveNextAsync();

        registry.OrderWeight([Find(registry)], 5);
        _recent.Add(new AccessLine { Event = AccessEvent.Handshake, Pool = "chat", Lane = "raw", ConnectionId = "c1", Outcome = "NoBackend", Status = 503 });

        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Wait.Bound));
        Assert.Equal(5, Assert.IsType<BackendChanged>(watch.Current).Backend.Weight);
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(Wait.Bound));
        var refused = Assert.IsType<RequestRefused>(watch.Current).Refused;
        Assert.Equal(("c1", "NoBackend", 503, true), (refused.Id, refused.Cause, refused.Status, refused.IsHandshake));
        Assert.Equal("c1", Assert.Single(state.ReadRefusals()).Id);
    }

    private (StickyWsState State, BackendRegistry Registry) Start(Action<PoolOptions> change)
    {
        _rig = new StateRig(Fleet.Options(change, 1, 1), _clock);
        return (new StickyWsState(_rig.Registry, _rig.Tunnels, attention: _attention, recent: _recent), _rig.Registry);
    }

    private static BackendStatus B(StickyWsState state) => state.Read().Pools[0].Backends[1];

    private static Backend Find(BackendRegistry registry) => Fleet.PoolOf(registry).Backends[1];
}
