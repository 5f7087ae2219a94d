using System.Buffers;

namespace StickyWs.Tests.Detection;

/// <summary>Bytes as a pipe hands them out: in pieces that end anywhere.</summary>
internal static class Pieces
{
    public static ReadOnlySequence<byte> Of(ReadOnlyMemory<byte> bytes, params IEnumerable<int> cuts)
    {
        Piece? first = null;
        Piece? last = null;
        var start = 0;
        foreach (var end in cuts.Append(bytes.Length))
        {
            last = new Piece(bytes[start..end], last);
            first ??= last;
            start = end;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
