using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Balancing;

public sealed class RoundRobinPolicyTests
{
    private readonly RoundRobinPolicy _policy = new();

    [Fact]
    public void Pick_EqualWeights_GoesRoundInOrder()
        => Assert.Equal([0, 1, 2, 0, 1, 2, 0], Picks(Fleet.Set(1, 1, 1), 7));

    [Fact]
    public void Pick_Weights_GivesExactShares()
    {
        var picks = Picks(Fleet.Set(1, 2, 5), 8_000);

        Assert.Equal([1_000, 2_000, 5_000], Enumerable.Range(0, 3).Select(place => picks.Count(pick => pick == place)));
    }

    [Fact]
    public void Pick_Load_IsNotLookedAt()
    {
        var set = Fleet.Set(1, 1);
        for (var i = 0; i < 50; i++) set[0].TryLease(LeaseKind.Request, 0, out _);

        Assert.Equal([0, 1, 0, 1], Picks(set, 4));
    }

    private int[] Picks(BackendSet set, int count) => [.. Enumerable.Range(0, count).Select(turn => _policy.Pick(set, (uint)turn))];
}
