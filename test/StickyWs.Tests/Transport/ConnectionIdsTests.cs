using System.Collections.Concurrent;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public sealed class ConnectionIdsTests
{
    [Fact]
    public void Next_IsOfTheKindOfKestrels() => Assert.Matches("^[0-9A-V]{13}$", ConnectionIds.Next());

    [Fact]
    public void Next_FromManyThreads_NeverComesTwice()
    {
        const int each = 20_000;
        var all = new ConcurrentBag<string[]>();
        Parallel.For(0, 4, _ => all.Add([.. Enumerable.Range(0, each).Select(_ => ConnectionIds.Next())]));

        Assert.Equal(4 * each, all.SelectMany(ids => ids).Distinct().Count());
    }

    [Fact]
    public void Next_OneBehindAnother_GoesUp()
    {
        var (first, second) = (ConnectionIds.Next(), ConnectionIds.Next());

        Assert.True(string.CompareOrdinal(first, second) < 0 || first == "VVVVVVVVVVVVV");
    }
}
