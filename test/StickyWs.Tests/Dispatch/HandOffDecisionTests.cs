using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;

namespace StickyWs.Tests.Dispatch;

/// <summary>Clients of a backend that is handed off or cut go elsewhere, once, whatever brings them back.</summary>
public sealed class HandOffDecisionTests
{
    public static TheoryData<Way, BackendMode> Ways { get; } =
    [
        .. from way in new[] { Way.Cookie, Way.Pin, Way.Hash } from mode in new[] { BackendMode.HandOff, BackendMode.Cut }
        select new TheoryDataRow<Way, BackendMode>(way, mode),
    ];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_OfItsClients_IsMovedOnce_ByAnOrder(Way way, BackendMode mode)
    {
        var rig = new StickyRig(way);
        StickyClient[] known = [.. Enumerable.Range(0, 30).Select(i => new StickyClient(rig, $"known{i}"))];
        var before = await AllAsync(known);
        Assert.Contains(before, visit => visit.Backend == "b");

        rig.Registry.Order([rig.Backend("b")], mode);

        foreach (var (was, client) in before.Zip(known))
        {
            var now = await client.VisitAsync();
            var isMoved = was.Backend == "b";
            Assert.Equal(isMoved ? DecisionReason.Moved : DecisionReason.Affinity, now.Reason);
            Assert.Equal(isMoved ? "b" : null, now.Notice.MovedFrom);
            Assert.True(isMoved ? now.Backend is "a" or "c" : now.Backend == was.Backend);
            var again = await client.VisitAsync();
            Assert.Equal((now.Backend, null), (again.Backend, again.Notice.MovedFrom));
        }

        Assert.DoesNotContain("b", (await AllAsync(Enumerable.Range(0, 60).Select(i => new StickyClient(rig, $"new{i}")))).Select(visit => visit.Backend));
        rig.AssertIdle();
    }

    // HoldFor is for a backend that is away and may come back.
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Visit_OfOneThatIsDown_IsNotHeld(Way way, BackendMode mode)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = TimeSpan.FromMinutes(10));
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend!;
        rig.Report(first, BackendState.Unhealthy);
        Assert.Equal(NoBackendReason.Held, (await client.VisitAsync()).Why);

        rig.Apply(pool =>
        {
            pool.Affinity.HoldFor = TimeSpan.FromMinutes(10);
            pool.Backends[first].Mode = mode;
        });

        var moved = await client.VisitAsync();
        Assert.Equal((DecisionReason.Moved, first), (moved.Reason, moved.Notice.MovedFrom));
    }

    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_OfTheLastOne_IsRefused_AndBackAfterIt(Way way)
    {
        var rig = new StickyRig(way);
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend;

        rig.Registry.Order(rig.Pool.Backends, BackendMode.HandOff);
        Assert.Equal(NoBackendReason.NoneEligible, (await client.VisitAsync()).Why);
        rig.Registry.Order(rig.Pool.Backends, BackendMode.On);

        Assert.Equal(first, (await client.VisitAsync()).Backend);
    }

    private static async Task<List<Visit>> AllAsync(IEnumerable<StickyClient> clients)
    {
        List<Visit> visits = [];
        foreach (var client in clients) visits.Add(await client.VisitAsync());
        return visits;
    }
}
