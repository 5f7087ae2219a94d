using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Balancing;

public sealed class PowerOfTwoChoicesPolicyTests
{
    private const int Turns = 30_000;

    private readonly PowerOfTwoChoicesPolicy _policy = new();

    [Fact]
    public void Pick_OfTwo_IsNeverTheMoreLoaded()
    {
        var set = LeastConnectionsPolicyTests.Loaded(LeaseKind.Tunnel, [1, 1], [1, 0]);

        Assert.All(Picks(set), pick => Assert.Equal(1, pick));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    public void Pick_OfMany_IsNeverTheMostLoadedAndOftenTheLeast(int count)
    {
        var set = LeastConnectionsPolicyTests.Loaded(LeaseKind.Tunnel, [.. Enumerable.Repeat(1, count)], [.. Enumerable.Range(0, count)]);

        var shares = Shares(set);

        // Two different backends of n hold a given one in 2/n of all draws, and the lighter wins: shares fall with the load.
        Assert.Equal(0, shares[count - 1]);
        Assert.All(Enumerable.Range(0, count), place => Assert.InRange(shares[place], Expected(place) - 0.03, Expected(place) + 0.03));

        double Expected(int place) => 2.0 * (count - 1 - place) / (count * (count - 1));
    }

    [Theory]
    [InlineData(new[] { 1, 1 })]
    [InlineData(new[] { 1, 1, 1, 1, 1, 1, 1 })]
    [InlineData(new[] { 3, 1 })]
    [InlineData(new[] { 10, 20, 30, 40 })]
    public void Pick_IdlePool_IsSpreadByWeight(int[] weights)
    {
        var shares = Shares(Fleet.Set(weights));

        Assert.All(Enumerable.Range(0, weights.Length),
            place => Assert.InRange(shares[place], ((double)weights[place] / weights.Sum()) - 0.02, ((double)weights[place] / weights.Sum()) + 0.02));
    }

    [Fact]
    public void Pick_LoadsByWeight_AreWhatIsCompared()
    {
        var set = LeastConnectionsPolicyTests.Loaded(LeaseKind.Tunnel, [4, 1], [5, 2]);

        Assert.All(Picks(set), pick => Assert.Equal(0, pick));
    }

    [Fact]
    public void Pick_SameTurn_IsTheSamePick()
    {
        var set = Fleet.Set(1, 2, 3, 4);

        Assert.Equal(Picks(set), Picks(set));
    }

    [Fact]
    public void Pick_OneBackend_IsThatOne() => Assert.All(Picks(Fleet.Set(3)), pick => Assert.Equal(0, pick));

    private double[] Shares(BackendSet set)
    {
        var picks = Picks(set);
        return [.. Enumerable.Range(0, set.Count).Select(place => picks.Count(pick => pick == place) / (double)Turns)];
    }

    private int[] Picks(BackendSet set) => [.. Enumerable.Range(0, Turns).Select(turn => _policy.Pick(set, (uint)turn))];
}
