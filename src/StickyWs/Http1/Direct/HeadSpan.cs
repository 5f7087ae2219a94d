namespace StickyWs.Http1;

/// <summary>Writes a head into memory that may be too short for it.</summary>
internal ref struct HeadSpan(Span<byte> output)
{
    private readonly Span<byte> _output = output;

    /// <summary>Whether all of it fitted.</summary>
    public bool Fits { get; private set; } = true;

    public int Written { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (Fits && bytes.TryCopyTo(_output[Written..])) Written += bytes.Length;
        else Fits = false;
    }
}
