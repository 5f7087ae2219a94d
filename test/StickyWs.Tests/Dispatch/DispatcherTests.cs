using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

public sealed class DispatcherTests
{
    [Fact]
    public void Decide_RequestThatFitsNoPool_IsNone()
    {
        var dispatcher = new DispatchRig(Fleet.Registry(Fleet.Options(pool => pool.Match.PathPrefixes.Add("/chat"), 1)));

        Assert.Null(dispatcher.Decide("h", "/other", LeaseKind.Request));
        Assert.NotNull(dispatcher.Decide("h", "/chat", LeaseKind.Request));
    }

    [Fact]
    public void Decide_PoolThatWantsHandshakesInThePipeline_LeavesASniffedOneToIt()
    {
        var dispatcher = new DispatchRig(Fleet.Registry(Fleet.Options(pool => pool.WebSockets = WebSocketMode.Pipeline, 1)));

        Assert.Null(dispatcher.Decide(DispatchRig.Head()));
        Assert.NotNull(dispatcher.Decide("h", "/", LeaseKind.Tunnel));
    }

    [Fact]
    public void Decide_PoolsPolicy_IsTheOneThatIsNamed()
    {
        var dispatcher = new DispatchRig(Fleet.Registry(Fleet.Options(pool => pool.Policy = "own", 1, 1, 1)), policy: new OwnPolicy((_, _) => 1));

        for (var i = 0; i < 5; i++)
        {
            Assert.True(dispatcher.Decide("h", "/", LeaseKind.Request)!.TryNext(out var lease));
            Assert.Equal("b", lease.Backend.Name);
        }
    }

    [Fact]
    public void Decide_AfterAChangeOfHealth_LeavesOutTheUnhealthy()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var dispatcher = new DispatchRig(registry);
        Assert.Equal(2, dispatcher.Decide("h", "/", LeaseKind.Request)!.Pool.Eligible.Count);

        registry.Report(Fleet.PoolOf(registry).Backends[0], BackendState.Unhealthy, "test");

        Assert.Equal(["b"], Fleet.Names(dispatcher.Decide("h", "/", LeaseKind.Request)!.Pool.Eligible));
    }

    [Fact]
    public void Decide_AfterAChangeOfConfiguration_GoesByTheNewOne()
    {
        var registry = new BackendRegistry(new FakeLogger<BackendRegistry>(), TimeProvider.System);
        var dispatcher = new DispatchRig(registry);
        Assert.Null(dispatcher.Decide("h", "/", LeaseKind.Request));

        registry.Apply(Fleet.Options(1));

        Assert.NotNull(dispatcher.Decide("h", "/", LeaseKind.Request));
    }

    [Fact]
    public void Decide_ProcessLimit_IsThatOfTheOptions()
    {
        var options = Fleet.Options(1);
        options.MaxTunnels = 1;
        var dispatcher = new DispatchRig(Fleet.Registry(options));
        Assert.True(dispatcher.Decide("h", "/", LeaseKind.Tunnel)!.TryNext(out _));

        var second = dispatcher.Decide("h", "/", LeaseKind.Tunnel)!;

        Assert.False(second.TryNext(out _));
        Assert.Equal(NoBackendReason.Full, second.Why);
    }

    [Fact]
    public void Decide_TurnsOfAPool_GoOnThroughChanges()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1, 1));
        var dispatcher = new DispatchRig(registry);

        List<string> taken = [];
        for (var i = 0; i < 6; i++)
        {
            Assert.True(dispatcher.Decide("h", "/", LeaseKind.Request)!.TryNext(out var lease));
            taken.Add(lease.Backend.Name);
            registry.Apply(Fleet.Options(1, 1, 1));
        }

        Assert.Equal(["a", "b", "c", "a", "b", "c"], taken);
    }

    [Fact]
    public void Decide_WhileTheConfigurationChanges_IsAlwaysConsistent()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var dispatcher = new DispatchRig(registry);

        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            for (var i = 0; i < 2000; i++)
            {
                if (thread == 0) registry.Apply(i % 2 == 0 ? Fleet.Options(1) : Fleet.Options(1, 1, 1));
                else Assert.True(dispatcher.Decide("h", "/", LeaseKind.Request)!.TryNext(out var _));
            }
        });

        Assert.Same(Fleet.PoolOf(registry), dispatcher.Decide("h", "/", LeaseKind.Request)!.Pool);
    }
}
