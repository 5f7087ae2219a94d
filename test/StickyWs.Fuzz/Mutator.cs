namespace StickyWs.Fuzz;

/// <summary>Makes an input from the corpus: a few small changes, seldom none, so that many inputs stay close to what is accepted.</summary>
internal sealed class Mutator(IFuzzTarget target, Random random)
{
    private const int MaxLength = 16 * 1024;

    public byte[] Next()
    {
        var bytes = new List<byte>(Pick(target.Corpus));
        for (var changes = random.Next(5); changes > 0; changes--) Change(bytes);
        if (bytes.Count > MaxLength) bytes.RemoveRange(MaxLength, bytes.Count - MaxLength);
        return [.. bytes];
    }

    private void Change(List<byte> bytes)
    {
        switch (random.Next(9))
        {
            case 0 when bytes.Count > 0:
                bytes[random.Next(bytes.Count)] = (byte)random.Next(256);
                break;
            case 1 when bytes.Count > 0:
                bytes[random.Next(bytes.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                bytes.Insert(random.Next(bytes.Count + 1), (byte)random.Next(256));
                break;
            case 3:
                var cut = Range(bytes, 8);
                bytes.RemoveRange(cut.Start, cut.Length);
                break;
            case 4:
                var copied = Range(bytes, 64);
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(copied.Start, copied.Length));
                break;
            case 5:
                bytes.InsertRange(random.Next(bytes.Count + 1), Pick(target.Dictionary));
                break;
            case 6:
                InsertLine(bytes, Pick(target.Dictionary));
                break;
            case 7:
                Splice(bytes, Pick(target.Corpus));
                break;
            case 8:
                MoveLine(bytes);
                break;
        }
    }

    private (int Start, int Length) Range(List<byte> bytes, int max)
    {
        var start = random.Next(bytes.Count + 1);
        return (start, random.Next(Math.Min(max, bytes.Count - start) + 1));
    }

    private void InsertLine(List<byte> bytes, byte[] line)
    {
        var at = LineStart(bytes);
        bytes.InsertRange(at, [.. line, .. "\r\n"u8]);
    }

    private void MoveLine(List<byte> bytes)
    {
        var start = LineStart(bytes);
        var end = bytes.IndexOf((byte)'\n', start) + 1;
        if (end == 0) return;
        var line = bytes.GetRange(start, end - start);
        bytes.RemoveRange(start, line.Count);
        bytes.InsertRange(LineStart(bytes), line);
    }

    private void Splice(List<byte> bytes, byte[] other)
    {
        var at = LineStart(bytes);
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other.AsSpan(random.Next(other.Length + 1)));
    }

    // The start of a line behind a random place; the very start when there is none.
    private int LineStart(List<byte> bytes) => bytes.IndexOf((byte)'\n', random.Next(bytes.Count + 1)) + 1;

    private byte[] Pick(IReadOnlyList<byte[]> choices) => choices[random.Next(choices.Count)];
}
