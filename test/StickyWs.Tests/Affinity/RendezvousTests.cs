using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Pinning;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Affinity;

public sealed class RendezvousTests
{
    private const int Many = 100_000;

    private static readonly PinKey[] Keys = [.. Enumerable.Range(0, Many).Select(Key)];

    [Fact]
    public void Pick_None_IsNone() => Assert.Equal(-1, Rendezvous.Pick(Keys[0], []));

    // The same on every instance and in every version: else clients move whenever one of several is upgraded.
    [Fact]
    public void Pick_KnownKeys_AreAsEver()
        => Assert.Equal(
            "DADDBCDCEEAAECEECECECEDBEDECBDDE",
            string.Concat(Enumerable.Range(0, 32).Select(i => Owner(new PinKey((ulong)i, (ulong)i * 7), Fleet.Set(1, 1, 2, 1, 1).Span))));

    [Fact]
    public void Pick_OtherOrderOtherObjectsOtherCase_IsTheSame()
    {
        Backend[] there = [.. Fleet.Set(3, 1, 2, 1, 5)];
        Backend[] elsewhere = [.. there.Select(backend => Made(backend.Name.ToUpperInvariant(), backend.Weight)).Reverse()];

        foreach (var key in Keys.AsSpan(0, 5000)) Assert.Equal(Owner(key, there), Owner(key, elsewhere));
    }

    [Theory]
    [InlineData(1, 1, 1, 1, 1)]
    [InlineData(1, 2, 3, 4, 5)]
    [InlineData(10, 1)]
    [InlineData(256, 128, 64)]
    public void Pick_ManyKeys_FollowsTheWeights(params int[] weights)
    {
        var backends = Fleet.Set(weights);
        var shares = new int[weights.Length];

        foreach (var key in Keys) shares[Rendezvous.Pick(key, backends.Span)]++;

        // Five standard deviations; the keys are always the same, and so is the result.
        foreach (var (place, share) in shares.Index())
        {
            var chance = (double)weights[place] / weights.Sum();
            var deviation = Math.Sqrt(Many * chance * (1 - chance));
            Assert.InRange(share, (chance * Many) - (5 * deviation), (chance * Many) + (5 * deviation));
        }
    }

    [Fact]
    public void Pick_OneRemoved_MovesItsKeysAlone()
    {
        Backend[] before = [.. Fleet.Set(1, 1, 1, 1, 1)];
        Backend[] after = [.. before.Where(backend => backend.Name != "c")];

        var moved = Keys.Where(key => Owner(key, before) != Owner(key, after)).ToArray();

        Assert.All(moved, key => Assert.Equal("C", Owner(key, before)));
        Assert.InRange(moved.Length, Many / 5 * 0.95, Many / 5 * 1.05);
        Assert.Equal(4, moved.Select(key => Owner(key, after)).Distinct().Count());
    }

    [Fact]
    public void Pick_OneAdded_MovesKeysToItAlone()
    {
        Backend[] before = [.. Fleet.Set(1, 1, 1, 1)];
        Backend[] after = [.. before, Made("new", 1)];

        var moved = Keys.Where(key => Owner(key, before) != Owner(key, after)).ToArray();

        Assert.All(moved, key => Assert.Equal("NEW", Owner(key, after)));
        Assert.InRange(moved.Length, Many / 5 * 0.95, Many / 5 * 1.05);
    }

    [Fact]
    public void Pick_OneHeavier_MovesKeysToItAloneAndNoMoreThanItsDue()
    {
        Backend[] before = [.. Fleet.Set(1, 1, 1)];
        Backend[] after = [.. Fleet.Set(1, 2, 1)];

        var moved = Keys.Where(key => Owner(key, before) != Owner(key, after)).ToArray();

        Assert.All(moved, key => Assert.Equal("B", Owner(key, after)));
        Assert.InRange(moved.Length, Many * ((2.0 / 4) - (1.0 / 3)) * 0.95, Many * ((2.0 / 4) - (1.0 / 3)) * 1.05);
    }

    // One key in 2^53 scores the highest there is; it must not be taken for none.
    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 2047)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2048)]
    public void Pick_HashAtTheEdge_StillFindsOne(ulong hash)
    {
        var backend = Fleet.Backend(0);

        Assert.Equal(0, Rendezvous.Pick(new PinKey(backend.Seed, Unmixed(hash)), [backend]));
    }

    [Fact]
    public void Pick_AllocatesNothing()
    {
        Backend[] backends = [.. Fleet.Set(1, 1, 1)];
        _ = Rendezvous.Pick(Keys[0], backends);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Rendezvous.Pick(Keys[i], backends);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static PinKey Key(int number) => PinKey.Of(PinKey.Prefix("chat", "query", "room"), BitConverter.GetBytes(number));

    private static string Owner(PinKey key, ReadOnlySpan<Backend> backends) => backends[Rendezvous.Pick(key, backends)].Name.ToUpperInvariant();

    private static Backend Made(string name, int weight)
    {
        var backend = new Backend("elsewhere", name, new Uri("http://10.0.0.1:1"), new TunnelTotal());
        backend.Configure(weight, null);
        return backend;
    }

    // The finalizer of SplitMix64, backwards; with the backend's own seed as the upper half nothing else is left of the hash.
    private static ulong Unmixed(ulong x)
    {
        x ^= (x >> 31) ^ (x >> 62);
        x *= Inverse(0x94D049BB133111EB);
        x ^= (x >> 27) ^ (x >> 54);
        x *= Inverse(0xBF58476D1CE4E5B9);
        return x ^ (x >> 30) ^ (x >> 60);
    }

    // Newton's method modulo 2^64.
    private static ulong Inverse(ulong odd)
    {
        var inverse = odd;
        for (var i = 0; i < 6; i++) inverse *= 2 - (odd * inverse);
        return inverse;
    }
}
