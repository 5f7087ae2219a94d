using StickyWs.Backends;

namespace StickyWs.Tests.Backends;

public sealed class BackendSetTests
{
    [Fact]
    public void InTurn_OverACycle_GivesExactSharesFromAnyTurnOn()
    {
        var set = Fleet.Set(256, 1, 2);

        foreach (var start in (uint[])[0, 1, 258, 12_345])
        {
            var turns = Enumerable.Range(0, 259).Select(i => set.InTurn(start + (uint)i)).ToArray();
            Assert.Equal([256, 1, 2], Enumerable.Range(0, 3).Select(place => turns.Count(turn => turn == place)));
        }
    }

    [Fact]
    public void InTurn_HugeTurn_IsAPlace() => Assert.InRange(Fleet.Set(3, 2).InTurn(uint.MaxValue), 0, 1);

    [Fact]
    public void Set_AfterAChangeOfWeight_KeepsItsRotation()
    {
        var set = Fleet.Set(1, 1);

        set[0].Configure(200, null);

        Assert.Equal([0, 1, 0, 1], Enumerable.Range(0, 4).Select(turn => set.InTurn((uint)turn)));
    }

    [Fact]
    public void Without_OneBackend_HoldsTheOthersInOrderAndLeavesTheSetAlone()
    {
        var set = Fleet.Set(1, 2, 3);

        var without = set.Without(set[1]);

        Assert.Equal(["a", "c"], Fleet.Names(without));
        Assert.Equal(2, without.Count);
        Assert.Equal([1, 3], [Enumerable.Range(0, 4).Count(turn => without.InTurn((uint)turn) == 0),
            Enumerable.Range(0, 4).Count(turn => without.InTurn((uint)turn) == 1)]);
        Assert.Equal(["a", "b", "c"], Fleet.Names(set));
    }

    [Fact]
    public void Without_SeveralBackends_GivesTheirTurnsToTheNext()
    {
        var set = Fleet.Set(1, 1, 1, 1, 1);

        var without = set.Without(set[0]).Without(set[1]).Without(set[3]);

        Assert.Equal(["c", "e"], Fleet.Names(without));
        Assert.Equal(["c", "c", "e", "e"], Enumerable.Range(0, 4).Select(turn => without[without.InTurn((uint)turn)].Name));
        Assert.InRange(without.InTurn(uint.MaxValue), 0, 1);
        Assert.Empty(without.Without(set[2]).Without(set[4]));
    }

    // Every client that a storm's backends refuse does this.
    [Fact]
    public void Without_OneAfterTheOther_MakesNoRotations()
    {
        var set = Fleet.Set([.. Enumerable.Range(1, 40).Select(i => (i * 7 % 256) + 1)]);
        foreach (var backend in set) _ = set.Without(backend);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var left = set;
        foreach (var backend in set) left = left.Without(backend);

        Assert.Empty(left);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 40 * 1200);
    }

    [Fact]
    public void Without_TheLastOne_IsEmpty()
    {
        var set = Fleet.Set(5);

        Assert.Empty(set.Without(set[0]));
    }

    [Fact]
    public void TurnCounter_FromManyThreads_NumbersEveryTurnOnce()
    {
        var counter = new TurnCounter();
        var seen = new int[8000];

        Parallel.For(0, seen.Length, _ => Interlocked.Increment(ref seen[counter.Next()]));

        Assert.All(seen, times => Assert.Equal(1, times));
    }
}
