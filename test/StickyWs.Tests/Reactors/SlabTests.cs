using StickyWs.Reactors;

namespace StickyWs.Tests.Reactors;

public sealed class SlabTests
{
    [Fact]
    public void Take_FreshSlab_CountsUpFromZero()
    {
        var slab = new Slab<int>();

        Assert.Equal([0, 1, 2], [slab.Take(), slab.Take(), slab.Take()]);
        Assert.Equal(3, slab.Count);
        Assert.Equal(3, slab.End);
    }

    [Fact]
    public void Take_BehindAReturn_UsesTheNumberAgainAndDoesNotGrow()
    {
        var slab = new Slab<int>();
        for (var i = 0; i < 1000; i++) slab.Take();

        slab.Return(17);
        slab.Return(999);
        Assert.Equal(998, slab.Count);

        Assert.Equal([17, 999], new[] { slab.Take(), slab.Take() }.Order());
        Assert.Equal(1000, slab.Count);
        Assert.Equal(1000, slab.End);
    }

    [Fact]
    public void Reference_WhileTheSlabGrows_StaysGood()
    {
        var slab = new Slab<long>();
        ref var first = ref slab[slab.Take()];
        first = 1;

        for (var i = 0; i < 10_000; i++) slab[slab.Take()] = -1;
        first = 42;

        Assert.Equal(42, slab[0]);
    }

    [Fact]
    public void TakeAndReturn_AtRandom_NeverGivesAPlaceTwice()
    {
        var slab = new Slab<int>();
        var random = new Random(7);
        var taken = new List<int>();
        for (var step = 1; step <= 50_000; step++)
        {
            if (taken.Count > 0 && random.Next(2) == 0)
            {
                var at = random.Next(taken.Count);
                Assert.NotEqual(0, slab[taken[at]]);
                slab[taken[at]] = 0;
                slab.Return(taken[at]);
                taken.RemoveAt(at);
            }
            else
            {
                var number = slab.Take();
                Assert.Equal(0, slab[number]);
                slab[number] = step;
                taken.Add(number);
            }

            Assert.Equal(taken.Count, slab.Count);
        }
    }

    [Fact]
    public async Task ATakenPlace_SeenFromAnotherThreadWhileTheSlabGrows_IsItsOwn()
    {
        var slab = new Slab<int>();
        var number = slab.Take();
        slab[number] = 42;
        var isDone = false;
        var looking = Task.Run(() =>
        {
            var wrong = 0;
            while (!Volatile.Read(ref isDone)) wrong += slab[number] == 42 ? 0 : 1;
            return wrong;
        });

        for (var i = 0; i < 300_000; i++) slab[slab.Take()] = -1;
        Volatile.Write(ref isDone, true);

        Assert.Equal(0, await looking);
    }
}
