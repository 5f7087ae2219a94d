using System.Buffers;

namespace StickyWs.Http1;

/// <summary>
/// Reads the header lines of a head by RFC 9112 section 5, without its leniencies: token names, no space before the colon, no line folding, no
/// control characters, CRLF only. Ends at the empty line.
/// </summary>
internal ref struct HeaderReader(ReadOnlySpan<byte> block)
{
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // HTAB is the only control character allowed in a value (RFC 9110 section 5.5).
    private static readonly SearchValues<byte> ForbiddenInValue =
        SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c != '\t').Append(127).Select(c => (byte)c)]);

    private ReadOnlySpan<byte> _rest = block;
    private ReadOnlySpan<byte> _line;

    /// <summary>The current header's name as written.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The current header's value without surrounding white space.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Whether the current line has one space between the colon and the value, and none behind it.</summary>
    public readonly bool IsPlain => _line.Length == Name.Length + 2 + Value.Length && _line[Name.Length + 1] == ' ';

    /// <summary>Whether reading stopped at a malformed line.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Moves to the next header; <see langword="false"/> at the empty line or at a malformed one.</summary>
    public bool Read()
    {
        var end = _rest.IndexOf("\r\n"u8);
        if (end == 0 && _rest.Length == 2) return false;
        if (end <= 0) return Malformed();
        var line = _line = _rest[..end];
        _rest = _rest[(end + 2)..];
        var colon = line.IndexOf((byte)':');
        if (colon <= 0) return Malformed();
        Name = line[..colon];
        Value = line[(colon + 1)..].Trim(" \t"u8);
        return (!Name.ContainsAnyExcept(TokenBytes) && IsValue(Value)) || Malformed();
    }

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    public static bool IsInToken(byte letter) => TokenBytes.Contains(letter);

    /// <summary>Whether it may stand in a value: no control character but HTAB.</summary>
    public static bool IsValue(ReadOnlySpan<byte> text) => !text.ContainsAny(ForbiddenInValue);

    private bool Malformed()
    {
        IsMalformed = true;
        return false;
    }
}
