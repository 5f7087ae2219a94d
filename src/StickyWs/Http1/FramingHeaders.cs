namespace StickyWs.Http1;

/// <summary>
/// The headers that frame a body (RFC 9112 section 6), of a request or of a response: one <c>Content-Length</c> in plain decimal, or one
/// <c>Transfer-Encoding: chunked</c>. Anything else, and both, is how requests and responses are smuggled.
/// </summary>
internal struct FramingHeaders
{
    private const int MostDigits = 19;

    private int _lengths;
    private int _codings;
    private bool _isWrong;
    private long _contentLength;

    /// <summary>The only <c>Content-Length</c>.</summary>
    public readonly long ContentLength => IsValid ? _contentLength : 0;

    public readonly bool HasLength => _lengths > 0;

    public readonly bool IsChunked => _codings > 0;

    /// <summary>Whether at most one of the headers was there, and with a valid value.</summary>
    public readonly bool IsValid => !_isWrong && _lengths + _codings <= 1;

    /// <summary>Whether a header goes with chunks: where these pass as they are, so does it.</summary>
    public static bool IsOfChunks(ReadOnlySpan<byte> name)
        => HeaderNames.Is(name, HeaderNames.TransferEncoding) || HeaderNames.Is(name, HeaderNames.Trailer);

    public void NoteLength(ReadOnlySpan<byte> value)
    {
        _lengths++;
        _isWrong |= !TryParseLength(value, out _contentLength);
    }

    public void NoteCoding(ReadOnlySpan<byte> value)
    {
        _codings++;
        _isWrong |= !HeaderNames.Is(value, "chunked"u8);
    }

    // Digits only: Kestrel also takes a sign. No more than the largest length has: HttpClient ignores a header with more, whatever its value.
    private static bool TryParseLength(ReadOnlySpan<byte> value, out long length)
    {
        length = 0;
        if (value.IsEmpty || value.Length > MostDigits) return false;
        foreach (var letter in value)
        {
            var digit = letter - '0';
            if ((uint)digit > 9 || length > (long.MaxValue - digit) / 10) return false;
            length = (length * 10) + digit;
        }

        return true;
    }
}
