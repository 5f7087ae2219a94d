using System.Buffers;

namespace StickyWs.Fuzz;

/// <summary>The same bytes in pieces, as the network may deliver them.</summary>
internal static class Splitter
{
    /// <summary>Ends of pieces, ascending, the last at the end of the bytes; now and then one piece for each byte.</summary>
    public static int[] Cuts(int length, Random random)
    {
        if (length <= 512 && random.Next(8) == 0) return [.. Enumerable.Range(1, length)];
        return [.. Enumerable.Range(0, random.Next(6)).Select(_ => random.Next(length + 1)).Append(length).Order()];
    }

    /// <summary>The bytes up to <paramref name="length"/> as one sequence with a segment for each piece.</summary>
    public static ReadOnlySequence<byte> Join(byte[] bytes, int[] cuts, int length)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, null);
        var (last, start) = (first, 0);
        foreach (var cut in cuts)
        {
            var end = Math.Min(cut, length);
            last = new Segment(bytes.AsMemory(start, end - start), last);
            start = end;
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
