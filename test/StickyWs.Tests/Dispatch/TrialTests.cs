using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

/// <summary>How a backend that is out on mere suspicion, in a pool without probes, is tried again by a request.</summary>
public sealed class TrialTests
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    [Fact]
    public void Decide_NothingOffered_LeavesItAlone()
    {
        var rig = Suspend(out _);

        for (var i = 0; i < 10; i++) Assert.Equal("b", Decide(rig).Backend);
    }

    [Fact]
    public void Decide_Offered_OneRequestAloneTriesIt()
    {
        var rig = Suspend(out var suspended);
        suspended.OfferTrial();

        var trial = Decide(rig, end: false);

        Assert.Equal(("a", DecisionReason.Trial), (trial.Backend, trial.Decision.Reason));
        Assert.Equal("b", Decide(rig).Backend);
        suspended.OfferTrial();
        Assert.Equal("b", Decide(rig).Backend);

        // When it is over, the next may be offered.
        trial.Lease.Dispose();
        Assert.Equal("b", Decide(rig).Backend);
        suspended.OfferTrial();
        Assert.Equal("a", Decide(rig).Backend);
    }

    [Fact]
    public void Decide_TrialFails_GoesOnElsewhere()
    {
        var rig = Suspend(out var suspended);
        suspended.OfferTrial();
        var decision = rig.Decide(DispatchRig.Request())!;

        Assert.True(decision.TryNext(out var first));
        first.Dispose();
        Assert.True(decision.TryNext(out var second));
        second.Dispose();

        Assert.Equal(("a", "b"), (first.Backend.Name, second.Backend.Name));
        Assert.Equal(DecisionReason.Retry, decision.Reason);
        Assert.False(decision.TryNext(out _));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    public void Decide_RequestThatCannotBeRepeated_TriesNothing(string method)
    {
        var rig = Suspend(out var suspended);
        suspended.OfferTrial();

        for (var i = 0; i < 4; i++) Assert.Equal("b", Decide(rig, method: method).Backend);
    }

    [Fact]
    public void Decide_Handshake_MayTry()
    {
        var rig = Suspend(out var suspended);
        suspended.OfferTrial();

        Assert.True(rig.Decide(DispatchRig.Head())!.TryNext(out var lease));
        lease.Dispose();

        Assert.Equal("a", lease.Backend.Name);
    }

    [Fact]
    public void Decide_ProbedPool_TriesNothing()
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Health.Tcp = new TcpProbeOptions(), 1, 1));
        registry.Report(Fleet.PoolOf(registry).Backends[0], BackendState.Unhealthy, "test");
        registry.Report(Fleet.PoolOf(registry).Backends[1], BackendState.Healthy, "test");
        Fleet.PoolOf(registry).Backends[0].OfferTrial();

        for (var i = 0; i < 4; i++) Assert.Equal("b", Decide(new DispatchRig(registry)).Backend);
    }

    // Its state is with another, and to be moved for a trial would lose it.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_KnownClientOfAnother_TriesNothing(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend!;
        var suspended = rig.Pool.Backends.First(backend => backend.Name != first);
        Assert.True(rig.Registry.TrySuspend(suspended, "test"));
        suspended.OfferTrial();

        for (var i = 0; i < 4; i++) Assert.Equal(first, (await client.VisitAsync()).Backend);
        rig.AssertIdle();
    }

    // Better asked than waited for: only its own clients can tell.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_KnownClientOfASuspect_IsServedThereWhileItWouldWait(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend!;
        Assert.True(rig.Registry.TrySuspend(rig.Backend(first), "test"));

        rig.Time.Advance(Hold - TimeSpan.FromSeconds(1));
        Assert.Equal(first, (await client.VisitAsync()).Backend);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        var moved = await client.VisitAsync();

        Assert.NotEqual(first, moved.Backend);
        Assert.Equal(first, moved.Notice.MovedFrom);
    }

    // Its process is gone, and the state with it.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_BackendThatRefuses_IsMovedAtOnceEvenWithHoldFor(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend!;
        rig.Backend(first).NoteGone();

        var atTheDial = await client.StayAsync(failures: 1);
        Assert.Equal(first, atTheDial.Notice.MovedFrom);
        atTheDial.End();
    }

    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_BackendThatIsOutAndRefuses_IsMovedUnlessTheOptionSaysSo(Way way)
    {
        foreach (var holdWhenRefused in (bool[])[false, true])
        {
            var rig = new StickyRig(way, pool => (pool.Affinity.HoldFor, pool.Affinity.HoldWhenRefused) = (Hold, holdWhenRefused));
            var client = new StickyClient(rig);
            var first = (await client.VisitAsync()).Backend!;
            rig.Backend(first).NoteGone();
            rig.Report(first, BackendState.Unhealthy);

            var visit = await client.VisitAsync();

            if (holdWhenRefused) Assert.Equal(NoBackendReason.Held, visit.Why);
            else Assert.Equal(first, visit.Notice.MovedFrom);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decide_OthersWait_OnlyTheTrialItselfIsAheadOfThem(bool isOffered)
    {
        var rig = Suspend(out var suspended, limit: 1);
        var first = Decide(rig, end: false);
        Assert.True(Busy(rig, out var waiting));
        _ = waiting.WaitAsync(CancellationToken.None).AsTask();
        first.Lease.Backend.Configure(1, null, new WorkLimits(MaxRequests: 2)); // A place is there, and the line is not told.
        if (isOffered) suspended.OfferTrial();

        var decision = rig.Decide(DispatchRig.Request())!;

        Assert.Equal(isOffered, decision.TryNext(out var lease));
        if (isOffered) Assert.Equal((suspended, DecisionReason.Trial), (lease.Backend, decision.Reason));
        Assert.True(Busy(rig, out _));
        Assert.Equal(1, first.Lease.Backend.ActiveRequests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decide_TrialFindsNoPlace_LetsTheNextBeOffered(bool isTunnel)
    {
        var rig = Suspend(out var suspended);
        suspended.Configure(1, 0, new WorkLimits(MaxRequests: 0));
        suspended.OfferTrial();

        var decision = isTunnel ? rig.Decide(DispatchRig.Head())! : rig.Decide(DispatchRig.Request())!;
        Assert.True(decision.TryNext(out var lease));

        Assert.Equal(("b", TrialState.None), (lease.Backend.Name, suspended.Trial));
    }

    private static bool Busy(DispatchRig rig, out Decision decision)
    {
        decision = rig.Decide(DispatchRig.Request())!;
        return !decision.TryNext(out _) && decision.Why == NoBackendReason.Busy;
    }

    private static DispatchRig Suspend(out Backend suspended, int? limit = null)
    {
        var registry = Fleet.Registry(Fleet.Options(pool => pool.Backends["b"].MaxRequests = limit, 1, 1));
        suspended = Fleet.PoolOf(registry).Backends[0];
        Assert.True(registry.TrySuspend(suspended, "test"));
        return new DispatchRig(registry);
    }

    private static (string Backend, Lease Lease, Decision Decision) Decide(DispatchRig rig, string method = "GET", bool end = true)
    {
        var decision = rig.Decide(DispatchRig.Request(method: method))!;
        Assert.True(decision.TryNext(out var lease));
        if (end) lease.Dispose();
        return (lease.Backend.Name, lease, decision);
    }
}
