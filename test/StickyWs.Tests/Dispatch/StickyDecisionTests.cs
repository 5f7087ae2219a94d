using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Dispatch;

/// <summary>What holds for every way in which a client comes back.</summary>
public sealed class StickyDecisionTests
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    public static TheoryData<Way> Ways => [Way.Cookie, Way.Pin, Way.Hash];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_Again_IsAtTheSameBackend(Way way)
    {
        var rig = new StickyRig(way);
        for (var i = 0; i < 30; i++)
        {
            var client = new StickyClient(rig, $"user{i}");
            var first = await client.VisitAsync();
            Assert.Null(first.Notice.MovedFrom);
            for (var again = 0; again < 4; again++)
            {
                var visit = await client.VisitAsync();
                Assert.Equal((first.Backend, DecisionReason.Affinity, (string?)null), (visit.Backend, visit.Reason, visit.Notice.MovedFrom));
                Assert.Null(visit.Marks.SetCookie);
            }
        }

        rig.AssertIdle();
    }

    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    public async Task Visit_NewClients_AreSpreadByThePolicy(Way way)
    {
        var rig = new StickyRig(way);
        List<string?> given = [];
        for (var i = 0; i < 6; i++)
        {
            var visit = await new StickyClient(rig, $"user{i}").VisitAsync();
            Assert.Equal(DecisionReason.Policy, visit.Reason);
            given.Add(visit.Backend);
        }

        Assert.Equal(["a", "b", "c", "a", "b", "c"], given);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_DrainingBackend_TakesWhomItHasAndNobodyElse(Way way)
    {
        var rig = new StickyRig(way);
        StickyClient[] known = [.. Enumerable.Range(0, 30).Select(i => new StickyClient(rig, $"known{i}"))];
        var before = await AllAsync(known);

        rig.Apply(pool => pool.Backends["b"].Enabled = false);

        Assert.Equal(before, await AllAsync(known));
        Assert.Contains("b", before);
        Assert.DoesNotContain("b", await AllAsync(Enumerable.Range(0, 60).Select(i => new StickyClient(rig, $"new{i}"))));
        rig.AssertIdle();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_UnhealthyBackend_IsMovedAtOnceAndStaysThere(Way way)
    {
        var rig = new StickyRig(way);
        foreach (var client in Enumerable.Range(0, 10).Select(i => new StickyClient(rig, $"user{i}")))
        {
            var first = await client.VisitAsync();
            var pin = (await client.VisitAsync()).Notice.Pin;
            rig.Report(first.Backend!, BackendState.Unhealthy);

            var moved = await client.VisitAsync();

            Assert.NotEqual(first.Backend, moved.Backend);
            Assert.Equal((DecisionReason.Moved, first.Backend, pin), (moved.Reason, moved.Notice.MovedFrom, moved.Notice.Pin));
            Assert.Equal(way == Way.Cookie, moved.Marks.SetCookie is not null);
            var after = await client.VisitAsync();
            Assert.Equal((moved.Backend, (string?)null, pin), (after.Backend, after.Notice.MovedFrom, after.Notice.Pin));
            Assert.Equal(way == Way.Hash ? DecisionReason.Moved : DecisionReason.Affinity, after.Reason);

            rig.Report(first.Backend!, BackendState.Healthy);
            var back = await client.VisitAsync();

            // A hashed key has its place; what was learnt follows the state.
            Assert.Equal(way == Way.Hash ? (first.Backend, moved.Backend) : (moved.Backend, null), (back.Backend, back.Notice.MovedFrom));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_HoldFor_HoldsUntilItIsOverAndThenMoves(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        rig.Report(first.Backend!, BackendState.Unhealthy);

        for (var waited = TimeSpan.Zero; waited < Hold; waited += TimeSpan.FromSeconds(10))
        {
            var held = await client.VisitAsync();
            Assert.Equal((null, NoBackendReason.Held), (held.Backend, held.Why));
            rig.Time.Advance(TimeSpan.FromSeconds(10));
        }

        var moved = await client.VisitAsync();
        Assert.NotEqual(first.Backend, moved.Backend);
        Assert.Equal((DecisionReason.Moved, first.Backend), (moved.Reason, moved.Notice.MovedFrom));
        Assert.Equal(moved.Backend, (await client.VisitAsync()).Backend);
        rig.AssertIdle();
    }

    // What kept it from the backend is the balancer's own trouble, and was reported of nobody.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_BackendOutOfReachForOurSake_HoldsUntilItIsOverAndThenMoves(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        Assert.Equal(NoBackendReason.Held, (await client.StayAsync(failures: 1)).Why);

        rig.Time.Advance(Hold);
        var moved = await client.StayAsync(failures: 1);
        moved.End();

        Assert.Equal(NoBackendReason.None, moved.Why);
        Assert.NotEqual(first.Backend, moved.Backend);
        rig.AssertIdle();
    }

    // Others have connections to it, so that good answers are noted of it all the time.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_BackendOutOfReachForOurSakeWhileOthersAreServed_HoldsNoLongerThanItShould(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        var backend = rig.Backend(first.Backend!);

        for (var waited = TimeSpan.Zero; waited < Hold; waited += TimeSpan.FromSeconds(10))
        {
            Assert.Equal(NoBackendReason.Held, (await client.StayAsync(failures: 1)).Why);
            backend.NoteBack(); // As every answer does.
            rig.Time.Advance(TimeSpan.FromSeconds(10));
        }

        var moved = await client.StayAsync(failures: 1);
        moved.End();

        Assert.Equal(NoBackendReason.None, moved.Why);
        Assert.NotEqual(first.Backend, moved.Backend);
        Assert.Contains(backend, rig.Pool.Eligible.Span.ToArray());
        Assert.Equal(0, backend.AwaySince);
        rig.AssertIdle();
    }

    // The last answer before it went is counted behind the verdict that it is away.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_BackendThatIsAwayThoughAGoodAnswerWasNotedLast_IsNotHeldForEver(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend!;
        rig.Report(first, BackendState.Unhealthy);
        rig.Backend(first).NoteBack();

        Assert.Equal(NoBackendReason.Held, (await client.VisitAsync()).Why);
        rig.Time.Advance(Hold);
        Assert.NotEqual(first, (await client.VisitAsync()).Backend ?? first);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_HeldAndThenItsBackendIsBack_IsThere(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        rig.Report(first.Backend!, BackendState.Unhealthy);
        Assert.Equal(NoBackendReason.Held, (await client.VisitAsync()).Why);
        rig.Time.Advance(Hold - TimeSpan.FromSeconds(1));

        rig.Report(first.Backend!, BackendState.Healthy);

        var back = await client.VisitAsync();
        Assert.Equal((first.Backend, (string?)null), (back.Backend, back.Notice.MovedFrom));

        // And the next time it is away, the time begins anew.
        rig.Report(first.Backend!, BackendState.Unhealthy);
        rig.Time.Advance(Hold - TimeSpan.FromSeconds(1));
        Assert.Equal(NoBackendReason.Held, (await client.VisitAsync()).Why);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_HoldFor_ConcernsNoNewClient(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        rig.Report("b", BackendState.Unhealthy);

        Assert.DoesNotContain(await AllAsync(Enumerable.Range(0, 60).Select(i => new StickyClient(rig, $"new{i}"))), name => name is null or "b");
    }

    // It was moved when its first one went; where it has its state now counts.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_MovedOneWhoseNewBackendIsAwayToo_IsHeldForThatOne(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        rig.Report((await client.VisitAsync()).Backend!, BackendState.Unhealthy);
        rig.Time.Advance(Hold);
        var moved = await client.VisitAsync();

        rig.Report(moved.Backend!, BackendState.Unhealthy);

        Assert.Equal(NoBackendReason.Held, (await client.VisitAsync()).Why);
        rig.Time.Advance(Hold);
        Assert.Equal(moved.Backend, (await client.VisitAsync()).Notice.MovedFrom);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_RemovedBackend_IsMovedAtOnceEvenWithHoldFor(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();

        rig.Apply(pool => pool.Backends.Remove(first.Backend!));

        var moved = await client.VisitAsync();
        Assert.NotEqual(first.Backend, moved.Backend);
        Assert.Equal(first.Backend, moved.Notice.MovedFrom);
        Assert.Equal(moved.Backend, (await client.VisitAsync()).Backend);
        Assert.Null((await client.VisitAsync()).Notice.MovedFrom);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_Panic_UsesItsBackend(Way way)
    {
        var rig = new StickyRig(way, pool =>
        {
            pool.WhenNoneHealthy = NoneHealthyBehavior.UseAll;
            pool.Affinity.HoldFor = Hold;
        });
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        foreach (var name in (string[])["a", "b", "c"]) rig.Report(name, BackendState.Unhealthy);

        var visit = await client.VisitAsync();

        Assert.Equal((first.Backend, DecisionReason.Affinity), (visit.Backend, visit.Reason));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_NoneLeft_IsNoneEligible(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Health.Tcp = new TcpProbeOptions());
        foreach (var name in (string[])["a", "b", "c"]) rig.Report(name, BackendState.Healthy);
        var client = new StickyClient(rig);
        await client.VisitAsync();
        foreach (var name in (string[])["a", "b", "c"]) rig.Report(name, BackendState.Unhealthy);

        Assert.Equal(NoBackendReason.NoneEligible, (await client.VisitAsync()).Why);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_FullBackend_IsElsewhereWithoutHoldForAndNowhereWithIt(Way way)
    {
        foreach (var hold in (TimeSpan[])[TimeSpan.Zero, Hold])
        {
            var rig = new StickyRig(way, pool =>
            {
                pool.Affinity.HoldFor = hold;
                foreach (var backend in pool.Backends.Values) backend.MaxTunnels = 1;
            });
            var client = new StickyClient(rig);
            var open = await client.StayAsync();

            var visit = await client.VisitAsync();

            if (hold > TimeSpan.Zero) Assert.Equal((null, NoBackendReason.Full), (visit.Backend, visit.Why));
            else Assert.Equal((DecisionReason.Retry, open.Backend), (visit.Reason, visit.Notice.MovedFrom));
            open.End();
            rig.AssertIdle();
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_BackendThatCannotBeReached_IsMovedAndKeepsItsNewOne(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();

        var moved = await client.StayAsync(failures: 1);
        moved.End();

        Assert.Equal(NoBackendReason.None, moved.Why);
        Assert.NotEqual(first.Backend, moved.Backend);
        Assert.Equal((DecisionReason.Retry, first.Backend), (moved.Reason, moved.Notice.MovedFrom));
        if (way != Way.Hash) Assert.Equal(moved.Backend, (await client.VisitAsync()).Backend);
        rig.AssertIdle();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_BackendsThatCannotBeReached_AreEachTriedOnce(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        await client.VisitAsync();

        var none = await client.StayAsync(failures: 10);

        Assert.Equal((null, NoBackendReason.AllTried), (none.Backend, none.Why));
        rig.AssertIdle();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_BackendThatCannotBeReachedAndHoldFor_IsHeldUntilItIsOver(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();

        // Nobody has noted the failure yet.
        Assert.Equal(NoBackendReason.Held, (await client.StayAsync(failures: 1)).Why);
        rig.Backend(first.Backend!).NoteAway(rig.Time.GetTimestamp());
        rig.Time.Advance(Hold - TimeSpan.FromSeconds(1));
        Assert.Equal(NoBackendReason.Held, (await client.StayAsync(failures: 1)).Why);
        rig.Time.Advance(TimeSpan.FromSeconds(1));

        var moved = await client.StayAsync(failures: 1);
        Assert.Equal(first.Backend, moved.Notice.MovedFrom);
        moved.End();
        rig.AssertIdle();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_NewClientWhoseFirstCannotBeReached_IsNotHeld(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = Hold);

        var visit = await new StickyClient(rig).StayAsync(failures: 1);

        Assert.NotNull(visit.Backend);
        Assert.Null(visit.Notice.MovedFrom);
        visit.End();
    }

    // Whatever instance moves it, it comes to the same backend: the two do not talk.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_MovedByTwoInstances_IsMovedToTheSame(Way way)
    {
        var (one, other) = (new StickyRig(way, Five), new StickyRig(way, Five));
        var reached = new HashSet<string?>();
        for (var i = 0; i < 25; i++)
        {
            var client = new StickyClient(one, $"user{i}");
            var first = (await client.VisitAsync()).Backend!;
            if (way != Way.Cookie) Assert.Equal(first, (await new StickyClient(other, $"user{i}").VisitAsync()).Backend);
            var there = client.At(other);
            one.Report(first, BackendState.Unhealthy);
            other.Report(first, BackendState.Unhealthy);

            var (moved, movedThere) = (await client.VisitAsync(), await there.VisitAsync());

            Assert.Equal((DecisionReason.Moved, moved.Backend, moved.Notice), (movedThere.Reason, movedThere.Backend, movedThere.Notice));
            reached.Add(moved.Backend);
            one.Report(first, BackendState.Healthy);
            other.Report(first, BackendState.Healthy);
        }

        Assert.InRange(reached.Count, 3, 5);

        static void Five(PoolOptions pool)
        {
            pool.Backends["d"] = new BackendOptions { Address = "http://127.0.0.1:5003" };
            pool.Backends["e"] = new BackendOptions { Address = "http://127.0.0.1:5004" };
        }
    }

    // Its key leads to one that is down, so it was moved, and where it was moved to it may stay until that is gone.
    [Fact]
    public async Task Visit_HashedOneThatWasMovedAndWhoseNewBackendDrains_IsStillThere()
    {
        var rig = new StickyRig(Way.Hash);
        var client = new StickyClient(rig);
        rig.Report((await client.VisitAsync()).Backend!, BackendState.Unhealthy);
        var moved = await client.VisitAsync();

        rig.Apply(pool => pool.Backends[moved.Backend!].Enabled = false);

        Assert.Equal((moved.Backend, (string?)null), ((await client.VisitAsync()).Backend, (await client.VisitAsync()).Notice.MovedFrom));
    }

    [Theory]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task LeaseEnded_TunnelThatOutlivedThePin_RenewsIt(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        var open = await client.StayAsync();
        rig.Time.Advance(TimeSpan.FromHours(5));
        open.End();
        rig.Time.Advance(TimeSpan.FromMinutes(19));

        rig.Report(open.Backend!, BackendState.Unhealthy);

        // It is known, or else nobody would tell where it comes from.
        Assert.Equal(open.Backend, (await client.VisitAsync()).Notice.MovedFrom);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task LeaseEnded_OldTunnelOfAMovedClient_ChangesNothing(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        await client.VisitAsync();
        var old = await client.StayAsync();
        rig.Report(old.Backend!, BackendState.Unhealthy);
        var moved = await client.VisitAsync();
        Assert.NotEqual(old.Backend, moved.Backend);

        old.End();

        var after = await client.VisitAsync();
        Assert.Equal((moved.Backend, (string?)null), (after.Backend, after.Notice.MovedFrom));
    }

    [Fact]
    public async Task LeaseEnded_FailedAttempt_WritesNoPin()
    {
        var rig = new StickyRig(Way.Pin);
        var decision = rig.Rig.Decide(DispatchRig.Head())!;
        Assert.True(decision.TryNext(out var failed));
        Assert.True(decision.TryNext(out var good));
        await decision.SettleAsync(Views.Answer("Set-Cookie: sid=0123456789"));
        failed.Dispose();
        good.Dispose();

        Assert.True(rig.Rig.Decide(DispatchRig.Head(headers: "Cookie: sid=0123456789\r\n"))!.TryNext(out var lease));
        Assert.Equal(good.Backend.Name, lease.Backend.Name);
        lease.Dispose();

        // Nor one that was never answered.
        var unanswered = rig.Rig.Decide(DispatchRig.Head(headers: "X-User: x\r\n"))!;
        Assert.True(unanswered.TryNext(out lease));
        lease.Dispose();
        Assert.Equal(1, rig.Rig.Pins.LearntCount);
        rig.AssertIdle();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_PinThatWasNotUsedForItsLifetime_IsANewClient(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.PinLifetime = TimeSpan.FromMinutes(1));
        var client = new StickyClient(rig);
        await client.VisitAsync();
        rig.Time.Advance(TimeSpan.FromMinutes(1));

        var later = await client.VisitAsync();

        // The cookie has a life of its own, and a hashed key needs no memory.
        Assert.Equal(way == Way.Pin ? DecisionReason.Policy : DecisionReason.Affinity, later.Reason);
    }

    // Doc of BackendState.Unknown: with probing on it gets no work before its first good probe.
    [Fact]
    public async Task Visit_HashedNewClientOfABackendThatWasNotProbedYet_WaitsForNoProbe()
    {
        var rig = new StickyRig(Way.Hash, pool => pool.Health.Tcp = new TcpProbeOptions());
        foreach (var name in (string[])["a", "b", "c"]) rig.Report(name, BackendState.Healthy);
        var known = Enumerable.Range(0, 40).Select(i => new StickyClient(rig, $"user{i}")).ToArray();
        var before = await AllAsync(known);

        rig.Apply(pool =>
        {
            pool.Health.Tcp = new TcpProbeOptions();
            pool.Backends["d"] = new BackendOptions { Address = "http://127.0.0.1:5003" };
        });

        Assert.Equal(before, await AllAsync(known));
        Assert.DoesNotContain("d", await AllAsync(Enumerable.Range(0, 40).Select(i => new StickyClient(rig, $"new{i}"))));
        rig.Report("d", BackendState.Healthy);
        Assert.Contains("d", await AllAsync(known));
    }

    // Just restarted, it may have served them a moment ago.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_KnownClientOfABackendThatWasNotProbedYet_IsAtItsBackend(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Health.Tcp = new TcpProbeOptions());
        foreach (var name in (string[])["a", "b", "c"]) rig.Report(name, BackendState.Healthy);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();

        rig.Report(first.Backend!, BackendState.Unknown);

        Assert.Equal(BackendState.Unknown, rig.Backend(first.Backend!).State);
        Assert.Equal(first.Backend, (await client.VisitAsync()).Backend);
    }

    private static async Task<string?[]> AllAsync(IEnumerable<StickyClient> clients)
    {
        List<string?> names = [];
        foreach (var client in clients) names.Add((await client.VisitAsync()).Backend);
        return [.. names];
    }
}
