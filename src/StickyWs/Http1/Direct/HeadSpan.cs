using System.Text;

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

    /// <summary>Adds a header's line.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value, in characters that are bytes.</param>
    public void Add(string name, string value)
    {
        AddText(name);
        Add(": "u8);
        AddText(value);
        Add("\r\n"u8);
    }

    private void AddText(string text)
    {
        if (Fits && Encoding.Latin1.TryGetBytes(text, _output[Written..], out var length)) Written += length;
        else Fits = false;
    }
}
