namespace StickyWs.Http1;

/// <summary>Reads the header lines of a head that a parser has found valid: it checks nothing again.</summary>
/// <param name="lines">The lines, each with its CRLF, without the empty line.</param>
internal ref struct HeaderLines(ReadOnlySpan<byte> lines)
{
    private ReadOnlySpan<byte> _rest = lines;

    /// <summary>The current header's name as written.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The current line with its CRLF.</summary>
    public ReadOnlySpan<byte> Line { get; private set; }

    /// <summary>The current header's value without surrounding white space.</summary>
    public readonly ReadOnlySpan<byte> Value => Line[(Name.Length + 1)..^2].Trim(" \t"u8);

    public bool Read()
    {
        if (_rest.IsEmpty) return false;
        Line = _rest[..(_rest.IndexOf((byte)'\n') + 1)];
        _rest = _rest[Line.Length..];
        Name = Line[..Line.IndexOf((byte)':')];
        return true;
    }
}
