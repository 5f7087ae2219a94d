using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

public sealed class BacklogTests
{
    [Fact]
    public void Bytes_AppendedAndTakenInPieces_StayInOrder()
    {
        var (backlog, random) = (new Backlog(), new Random(7));
        byte next = 0, expected = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var piece = new byte[random.Next(0, 40)];
            foreach (ref var one in piece.AsSpan()) one = next++;
            var before = backlog.Length;
            backlog.Append(piece);
            Assert.Equal(before + piece.Length, backlog.Length);

            var count = random.Next(0, Math.Min(backlog.Length, 38) + 1);
            foreach (var one in backlog.Bytes[..count]) Assert.Equal(expected++, one);
            backlog.Take(count);
        }

        while (!backlog.IsEmpty)
        {
            Assert.Equal(expected++, backlog.Bytes[0]);
            backlog.Take(1);
        }

        Assert.Equal(next, expected);
        Assert.True(backlog.Bytes.IsEmpty);
    }

    // Otherwise a peer that asks for many small answers, and reads none, makes each cost what all before it weigh.
    [Fact]
    public void Append_OfManySmallPieces_CopiesWhatWaitsSeldom()
    {
        var backlog = new Backlog();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 2000; i++) backlog.Append([1, 2, 3, 4]);

        Assert.Equal(8000, backlog.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 8000, 64_000);
    }

    [Fact]
    public void Take_OfAllButAFewEachTime_KeepsTheMemorySmall()
    {
        var (backlog, piece) = (new Backlog(), new byte[100]);
        backlog.Append(piece);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 10_000; i++)
        {
            backlog.Append(piece);
            backlog.Take(piece.Length);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }
}
