namespace StickyWs.Http1;

/// <summary>
/// The lines that frame a body, in the one form that everybody reads in the same way: what this half trims or takes for a number, another may not.
/// </summary>
internal static class FramingLines
{
    /// <summary>Writes the line of a header that frames the body, and was found valid, anew.</summary>
    /// <returns>Whether the header is one; if not, nothing was written.</returns>
    public static bool TryWrite(ref HeadSpan writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (HeaderNames.Is(name, HeaderNames.TransferEncoding))
        {
            writer.Add("Transfer-Encoding: chunked\r\n"u8);
            return true;
        }

        if (!HeaderNames.Is(name, HeaderNames.ContentLength)) return false;
        var digits = value.TrimStart((byte)'0');
        writer.Add("Content-Length: "u8);
        writer.Add(digits.IsEmpty ? "0"u8 : digits);
        writer.Add("\r\n"u8);
        return true;
    }

    /// <summary>Whether a valid length is one without leading zeros.</summary>
    public static bool IsPlainLength(ReadOnlySpan<byte> value) => value.Length == 1 || !value.StartsWith((byte)'0');

    /// <summary>Whether a valid coding is spelt as usual.</summary>
    public static bool IsPlainCoding(ReadOnlySpan<byte> value) => value.SequenceEqual("chunked"u8);
}
