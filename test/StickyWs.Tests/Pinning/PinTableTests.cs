using StickyWs.Pinning;


namespace StickyWs.Tests.Pinning;

public sealed class PinTableTests
{
    private const int Segments = 64;
    private const int Ways = 8;
    private const int Minute = 60;
    private const int Large = 1_000_000;

    private readonly PinTable _table = new();

    [Fact]
    public void TryUse_UnknownKey_IsNone()
    {
        Assert.False(_table.TryUse(default, 0, Minute, out _));
        Assert.False(_table.TryUse(Key(1), 0, Minute, out _));
    }

    [Fact]
    public void Set_Pin_IsFoundAgain()
    {
        _table.Set(Key(1), Made("a", 7), 0, Minute, Large);

        Assert.True(_table.TryUse(Key(1), 0, Minute, out var pin));
        Assert.Equal(("a", 7), (pin.Backend, pin.CheckedAt));
        Assert.False(_table.TryUse(Key(2), 0, Minute, out _));
    }

    [Fact]
    public void Set_KeyOfNothingButZeros_IsAPinLikeAnyOther()
    {
        _table.Set(default, Made("a", 0), 0, Minute, Large);

        Assert.True(_table.TryUse(default, 0, Minute, out var pin));
        Assert.Equal("a", pin.Backend);
        Assert.Equal(1, _table.Count);
    }

    [Fact]
    public void Set_SameKeyAgain_Overwrites()
    {
        _table.Set(Key(1), Made("a", 1), 0, Minute, Large);
        _table.Set(Key(1), Made("b", 2), 0, Minute, Large);

        Assert.True(_table.TryUse(Key(1), 0, Minute, out var pin));
        Assert.Equal(("b", 2), (pin.Backend, pin.CheckedAt));
        Assert.Equal(1, _table.Count);
    }

    [Theory]
    [InlineData(59, true)]
    [InlineData(60, false)]
    [InlineData(61, false)]
    public void TryUse_AtTheEndOfItsTime_IsOver(int now, bool isFound)
    {
        _table.Set(Key(1), Made("a", 0), 0, Minute, Large);

        Assert.Equal(isFound, _table.TryUse(Key(1), now, Minute, out _));
    }

    [Fact]
    public void TryUse_NowAndThen_KeepsItAlive()
    {
        _table.Set(Key(1), Made("a", 0), 0, Minute, Large);

        for (var now = 0; now < 100 * Minute; now += Minute - 1) Assert.True(_table.TryUse(Key(1), now, Minute, out _));
    }

    [Fact]
    public void Set_ExpiredPin_IsReplacedInItsPlace()
    {
        for (var i = 0; i < 10_000; i++) _table.Set(Crowded(i), Made("a", 0), i * Minute, Minute, Large);

        Assert.InRange(_table.Count, 1, Ways);
    }

    [Fact]
    public void Set_CrowdedPlaceThatCannotGrow_DropsTheOneNearestToItsEnd()
    {
        for (var i = 0; i < Ways; i++) _table.Set(Crowded(i), Made("a", 0), 0, Minute + i, 1000);
        _table.TryUse(Crowded(0), 1, Minute * 2, out _);

        _table.Set(Crowded(100), Made("b", 0), 1, Minute, 1000);

        Assert.Equal([0, 2, 3, 4, 5, 6, 7, 100], new[] { 0, 1, 2, 3, 4, 5, 6, 7, 100 }.Where(i => _table.TryUse(Crowded(i), 2, Minute, out _)));
        Assert.Equal(Ways, _table.Count);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1536)]
    [InlineData(10_000)]
    [InlineData(100_000)]
    public void Set_FloodOfKeys_StaysWithinTheLimitInNumberAndMemory(int limit)
    {
        const int Flood = 2_000_000;
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < Flood; i++)
        {
            _table.Set(Key(i), Made("a", 0), i / 100_000, Minute, limit);
            if (i % 100_000 == 0) Assert.InRange(_table.Count, 1, limit);
        }

        // What was thrown away while it grew included.
        Assert.InRange(_table.Count, limit / 2, limit);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (limit * 60L * 2) + 10_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    public void Set_LimitOfLessThanItsSmallestSize_StillKeepsThatMuchAndNoMore(int limit)
    {
        for (var i = 0; i < 100_000; i++) _table.Set(Key(i), Made("a", 0), 0, Minute, limit);

        Assert.InRange(_table.Count, 1, Segments * Ways);
    }

    // A tenth of what it may hold: crowded places are to make it grow, never to cost a pin, whatever the limit is.
    [Theory]
    [InlineData(1536)]
    [InlineData(2560)]
    [InlineData(5120)]
    [InlineData(77_777)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    public void Set_UntilATenthOfTheLimit_KeepsEveryPinWhileItGrows(int limit)
    {
        var count = limit / 10;
        for (var i = 0; i < count; i++) _table.Set(Key(i), Made("a", i), 0, Minute, limit);

        Assert.Equal(count, _table.Count);
        for (var i = 0; i < count; i++) Assert.True(_table.TryUse(Key(i), 0, Minute, out var pin) && pin.CheckedAt == i);
    }

    // Growth that moves pins of two places into one would drop several at once.
    [Fact]
    public void Set_OnePin_CostsOneOtherAtMost()
    {
        const int Limit = 3 * Segments * Ways;
        PinKey[] keys = [.. Enumerable.Range(0, Ways).SelectMany(i => new PinKey[] { Low(0x7000_0000, i), Low(0x9000_0000, i) }),
            .. Enumerable.Range(0, 2 * Ways).Select(i => Low(0x1000_0000, i))];

        var before = 0;
        foreach (var (place, key) in keys.Index())
        {
            _table.Set(key, Made("a", 0), 0, Minute, Limit);
            var kept = keys.Take(place + 1).Count(set => _table.TryUse(set, 0, Minute, out _));
            Assert.True(kept >= before, $"The {place + 1}th cost {before - kept + 1}.");
            before = kept;
        }

        static PinKey Low(ulong upper, int lower) => new(0, (upper << 32) + (ulong)lower);
    }

    [Fact]
    public void Set_LimitLoweredLater_ComesDownToItAndKeepsWhatFits()
    {
        for (var i = 0; i < 10_000; i++) _table.Set(Key(i), Made("a", i), 0, Minute + i, 100_000);
        Assert.Equal(10_000, _table.Count);

        for (var i = 10_000; i < 12_000; i++) _table.Set(Key(i), Made("a", i), 0, Minute + i, 1000);

        Assert.InRange(_table.Count, 400, 1000);

        // Those that are left are the ones furthest from their end.
        Assert.True(_table.TryUse(Key(11_999), 0, Minute, out _));
        Assert.Equal(0, Enumerable.Range(0, 8_000).Count(i => _table.TryUse(Key(i), 0, Minute, out _)));
    }

    [Fact]
    public void Set_LimitRaisedLater_GrowsAgain()
    {
        for (var i = 0; i < 10_000; i++) _table.Set(Key(i), Made("a", 0), 0, Minute, 1000);

        for (var i = 0; i < 10_000; i++) _table.Set(Key(i), Made("a", 0), 0, Minute, 100_000);

        Assert.Equal(10_000, _table.Count);
    }

    [Fact]
    public void Set_LimitThatGoesUpAndDown_NeverBreaksTheBoundForLong()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var limit = random.Next(1000, 20_000);
            for (var i = 0; i < 3000; i++) _table.Set(Key(random.Next(100_000)), Made("a", 0), round, Minute, limit);

            Assert.InRange(_table.Count, 1, limit);
        }
    }

    [Fact]
    public void TryUseAndSet_WithoutGrowth_AllocateNothing()
    {
        for (var i = 0; i < 5000; i++) _table.Set(Key(i), Made("a", 0), 0, Minute, 1000);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 5000; i++)
        {
            _table.Set(Key(i), Made("b", 0), 0, Minute, 1000);
            _table.TryUse(Key(i), 0, Minute, out _);
            _table.TryUse(Key(-i), 0, Minute, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Set_ManyThreadsWhileOthersRead_KeepsTheBoundAndMixesNothingUp()
    {
        const int Limit = 20_000;

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 50_000; i++)
            {
                var number = random.Next(60_000);
                if (thread % 2 == 0) _table.Set(Key(number), Made((number % 10).ToString(), number), i / 1000, Minute, Limit);
                else if (_table.TryUse(Key(number), i / 1000, Minute, out var pin))
                    Assert.Equal(((number % 10).ToString(), number), (pin.Backend, pin.CheckedAt));
            }
        });

        Assert.InRange(_table.Count, Limit / 2, Limit);
        var found = Enumerable.Range(0, 60_000).Count(i => _table.TryUse(Key(i), 0, Minute, out _));
        Assert.Equal(_table.Count, found);
    }

    private static Pin Made(string backend, int checkedAt) => new(backend, checkedAt, Pin.Never);

    // Spread like hashes, without the cost of one.
    private static PinKey Key(int number)
    {
        var high = Mix((ulong)number);
        return new PinKey(high, Mix(high));
    }

    // All in one place of one segment, however far the table has grown within a test.
    private static PinKey Crowded(int number) => new(0, (ulong)number);

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
