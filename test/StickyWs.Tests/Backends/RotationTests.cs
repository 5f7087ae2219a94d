using StickyWs.Backends;

namespace StickyWs.Tests.Backends;

public sealed class RotationTests
{
    public static TheoryData<int[]> Weights { get; } = new(
        (int[][])
        [
            [1], [7], [256],
            [1, 1], [1, 1, 1], [2, 1], [1, 2], [1, 1, 2], [2, 2, 3], [3, 6, 7], [5, 1, 1], [4, 2, 2], [6, 4], [3, 3, 3],
            [256, 1], [1, 256], [256, 255], [256, 256, 1], [128, 64, 32, 16, 16], [10, 20, 30, 40], [1, 2, 3, 4, 5, 6, 7, 8],
            [.. Enumerable.Repeat(1, 100)], [.. Enumerable.Range(1, 20)], [17, 251, 89, 3, 200, 144],
        ]);

    [Theory]
    [MemberData(nameof(Weights))]
    public void Of_Weights_GivesEachItsExactShareInTheShortestCycle(int[] weights)
    {
        var divisor = Enumerable.Range(1, weights.Min()).Last(d => weights.All(weight => weight % d == 0));

        var cycle = Rotation.Of(weights);

        Assert.Equal(weights.Select(weight => weight / divisor), weights.Select((_, place) => cycle.Count(turn => turn == place)));
        Assert.Equal(weights.Sum() / divisor, cycle.Length);
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public void Of_Weights_GivesNobodyTwoTurnsInARowUnlessItHasMoreThanHalf(int[] weights)
    {
        var cycle = Rotation.Of(weights);

        var twice = cycle.Where((turn, at) => cycle.Length > 1 && turn == cycle[(at + 1) % cycle.Length]).Distinct();

        Assert.All(twice, place => Assert.True(weights[place] * 2 > weights.Sum(),
            $"place {place} of [{string.Join(", ", weights)}] in [{string.Join(", ", cycle)}]"));
    }

    [Fact]
    public void Of_EverySmallSetOfWeights_IsExactAndSmooth()
    {
        var sets =
            from a in Enumerable.Range(1, 7)
            from b in Enumerable.Range(1, 7)
            from c in Enumerable.Range(1, 7)
            from d in Enumerable.Range(1, 4)
            select new[] { a, b, c, d };

        foreach (var weights in sets)
        {
            Of_Weights_GivesEachItsExactShareInTheShortestCycle(weights);
            Of_Weights_GivesNobodyTwoTurnsInARowUnlessItHasMoreThanHalf(weights);
        }
    }

    [Fact]
    public void Of_EqualWeights_IsTheOrderOfTheBackends() => Assert.Equal([0, 1, 2, 3], Rotation.Of([8, 8, 8, 8]));

    [Fact]
    public void Of_OneHeavyAmongMany_SpreadsTheHeavyOneEvenly()
    {
        var cycle = Rotation.Of([4, 1, 1, 1, 1]);

        Assert.Equal([0, 2, 4, 6], cycle.Index().Where(turn => turn.Item == 0).Select(turn => turn.Index));
    }

    [Fact]
    public void Of_NoBackends_IsEmpty() => Assert.Empty(Rotation.Of([]));
}
