using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.TestKit;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Dispatch;

/// <summary>Two instances of the balancer over one store of pins.</summary>
public sealed class SharedDecisionTests
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1.1);

    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedPinStore _store;
    private readonly StickyRig _one;
    private readonly StickyRig _other;

    public SharedDecisionTests()
    {
        _store = new ScriptedPinStore(_time);
        _one = new StickyRig(pool => pool.Affinity.Rules.Add(StickyRig.Rule(Way.Pin)), _time, _store);
        _other = new StickyRig(pool => pool.Affinity.Rules.Add(StickyRig.Rule(Way.Pin)), _time, _store);
    }

    [Fact]
    public async Task Visit_PinLearntByTheOtherInstance_IsFound()
    {
        for (var i = 0; i < 12; i++)
        {
            var client = new StickyClient(_one, $"user{i}");
            var first = await client.VisitAsync();

            var visit = await client.At(_other).VisitAsync();

            Assert.Equal((first.Backend, DecisionReason.Affinity), (visit.Backend, visit.Reason));
        }

        _one.AssertIdle();
        _other.AssertIdle();
    }

    [Fact]
    public async Task Visit_FreshPin_AsksNobody()
    {
        var client = new StickyClient(_one);
        await client.VisitAsync();
        for (var i = 0; i < 20; i++) await client.VisitAsync();

        Assert.Empty(_store.Finds);
        Assert.Single(_store.Saves);
    }

    [Fact]
    public async Task Visit_NewClientWithoutASession_AsksNobody()
    {
        await new StickyClient(_one).VisitAsync();

        Assert.Empty(_store.Finds);
    }

    [Fact]
    public async Task Visit_MadeUpSession_AsksTheStoreAndWritesNothing()
    {
        for (var i = 0; i < 20; i++)
        {
            var client = new StickyClient(_one);
            client.Take($"sid=madeup{i}");
            Assert.Equal(DecisionReason.Policy, (await client.VisitAsync()).Reason);
        }

        Assert.Equal(20, _store.Finds.Count);
        Assert.Empty(_store.Saves);
        Assert.Equal(0, _one.Rig.Pins.LearntCount);
    }

    [Fact]
    public async Task Visit_PinThatTheOtherInstanceMoved_IsNoticedAfterHalfAMinuteAtTheLatest()
    {
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        var moved = await MoveAsync(client.At(_other), first.Backend!);
        Assert.Equal(first.Backend, (await client.VisitAsync()).Backend);

        _time.Advance(TimeSpan.FromSeconds(31));

        var visit = await client.VisitAsync();
        Assert.Equal((moved, (string?)null), (visit.Backend, visit.Notice.MovedFrom));
    }

    [Fact]
    public async Task Visit_MessageOfTheOtherInstance_IsFollowedAtOnce()
    {
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        var key = (await client.VisitAsync()).Notice.Pin!;
        var other = first.Backend == "a" ? "b" : "a";

        _store.Tell(key, other);

        Assert.Equal(other, (await client.VisitAsync()).Backend);
        Assert.Empty(_store.Finds);
    }

    // Its backend is away here too; before it is moved once more, the store knows better.
    [Fact]
    public async Task Visit_BackendThatIsAway_AsksTheStoreBeforeTheClientIsMoved()
    {
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        var moved = await MoveAsync(client.At(_other), first.Backend!);
        _one.Report(first.Backend!, BackendState.Unhealthy);

        var visit = await client.VisitAsync();

        Assert.Equal((moved, DecisionReason.Affinity, (string?)null), (visit.Backend, visit.Reason, visit.Notice.MovedFrom));
    }

    [Fact]
    public async Task Visit_MovedHere_IsWrittenBeforeTheClientHasItsAnswer()
    {
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        _one.Report(first.Backend!, BackendState.Unhealthy);
        var moved = await client.VisitAsync();

        Assert.Equal(moved.Backend, (await client.At(_other).VisitAsync()).Backend);
    }

    [Fact]
    public async Task Visit_StoreThatIsLost_GoesOnWithTheOwnPins()
    {
        StickyClient[] clients = [.. Enumerable.Range(0, 9).Select(i => new StickyClient(_one, $"user{i}"))];
        var before = await AllAsync(clients);
        await LoseAsync(_one);
        var calls = _store.Calls;

        Assert.Equal(before, await AllAsync(clients));
        Assert.Equal(calls, _store.Calls);
    }

    [Fact]
    public async Task Visit_StoreThatIsLost_SendsNewClientsByTheirAddressOnEveryInstance()
    {
        await LoseAsync(_one);
        await LoseAsync(_other);
        var reached = new HashSet<string?>();
        for (var i = 0; i < 30; i++)
        {
            var client = new StickyClient(_one, $"user{i}") { Peer = $"10.0.0.{i}" };
            var first = await client.VisitAsync();
            Assert.Null(first.Notice.Pin);

            // Nothing that the first one learnt is known there.
            Assert.Equal(first.Backend, (await client.At(_other).VisitAsync()).Backend);
            reached.Add(first.Backend);
        }

        Assert.Equal(3, reached.Count);
    }

    [Fact]
    public async Task Visit_AfterTheStoreCameBackEmpty_IsWrittenAgainOnUse()
    {
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        await LoseAsync(_one);
        await client.VisitAsync();
        _store.Forget();
        _store.Failure = null;
        _time.Advance(Rest);

        await Wait.UntilAsync(() => _one.Rig.Pins.IsAskable);
        await client.VisitAsync();

        Assert.Equal(first.Backend, (await client.At(_other).VisitAsync()).Backend);
    }

    [Fact]
    public async Task Visit_PinsThatWereLearntWhileTheStoreWasLost_AreWrittenOnUse()
    {
        await LoseAsync(_one);
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        _store.Failure = null;
        _time.Advance(Rest);
        await Wait.UntilAsync(() => _one.Rig.Pins.IsAskable);

        Assert.Equal(first.Backend, (await client.VisitAsync()).Backend);

        Assert.Equal(first.Backend, (await client.At(_other).VisitAsync()).Backend);
    }

    [Fact]
    public async Task Visit_StoreThatIsSilent_HoldsNobodyUpForLongerThanItsTimeout()
    {
        var client = new StickyClient(_one);
        client.Take("sid=unknown");
        _store.IsSilent = true;

        var visiting = client.VisitAsync();
        Assert.False(visiting.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(50));

        Assert.Equal(DecisionReason.Policy, (await visiting.WaitAsync(Wait.Token())).Reason);
    }

    [Fact]
    public async Task Visit_InUseForHours_IsKnownToTheOtherInstanceAtAnyTime()
    {
        var client = new StickyClient(_one);
        var first = await client.VisitAsync();
        for (var i = 0; i < 300; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(first.Backend, (await client.VisitAsync()).Backend);
            if (i % 50 == 0)
                Assert.Equal(first.Backend, (await client.At(new StickyRig(pool => pool.Affinity.Rules.Add(StickyRig.Rule(Way.Pin)), _time, _store))
                    .VisitAsync()).Backend);
        }

        Assert.InRange(_store.Saves.Count, 10, 100);
    }

    [Fact]
    public async Task Visit_CookieRule_NeverAsksTheStore()
    {
        var rig = new StickyRig(pool => pool.Affinity.Rules.Add(StickyRig.Rule(Way.Cookie)), _time, _store);
        var client = new StickyClient(rig);
        for (var i = 0; i < 5; i++) await client.VisitAsync();
        await LoseAsync(_one);

        var calls = _store.Calls;
        Assert.Equal(DecisionReason.Policy, (await new StickyClient(rig, "bob").VisitAsync()).Reason);
        Assert.Equal(calls, _store.Calls);
    }

    private static async Task<string> MoveAsync(StickyClient client, string from)
    {
        // Not by the health of its backend, which both instances see: it could not be reached once.
        var moved = await client.StayAsync(failures: 1);
        moved.End();
        Assert.NotEqual(from, moved.Backend);
        return moved.Backend!;
    }

    private static async Task<string?[]> AllAsync(IEnumerable<StickyClient> clients)
    {
        List<string?> names = [];
        foreach (var client in clients) names.Add((await client.VisitAsync()).Backend);
        return [.. names];
    }

    private async Task LoseAsync(StickyRig rig)
    {
        _store.Failure = new IOException("gone");
        while (rig.Rig.Pins.IsAskable) await rig.Rig.Pins.FindSharedAsync(StickyWs.Pinning.PinKey.Random(), TimeSpan.FromMinutes(1));
    }
}
