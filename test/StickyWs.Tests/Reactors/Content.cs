namespace StickyWs.Tests.Reactors;

/// <summary>Random bytes by their place in the stream, so that a lost, doubled or swapped piece shows.</summary>
internal sealed class Content
{
    private const int Length = 1_000_003;

    private readonly byte[] _bytes = new byte[Length];

    public Content(int seed) => new Random(seed).NextBytes(_bytes);

    public void Write(Span<byte> bytes, long at)
    {
        while (!bytes.IsEmpty)
        {
            var piece = Piece(at, bytes.Length);
            piece.CopyTo(bytes);
            bytes = bytes[piece.Length..];
            at += piece.Length;
        }
    }

    public bool Matches(ReadOnlySpan<byte> bytes, long at)
    {
        while (!bytes.IsEmpty)
        {
            var piece = Piece(at, bytes.Length);
            if (!bytes[..piece.Length].SequenceEqual(piece)) return false;
            bytes = bytes[piece.Length..];
            at += piece.Length;
        }

        return true;
    }

    private ReadOnlySpan<byte> Piece(long at, int longest)
    {
        var start = (int)(at % Length);
        return _bytes.AsSpan(start, Math.Min(longest, Length - start));
    }
}
