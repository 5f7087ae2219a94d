namespace StickyWs.Http1;

/// <summary>The first line of a response: <c>HTTP/1.x SP 3DIGIT [SP reason]</c>. The space behind the status is often left out.</summary>
internal static class StatusLine
{
    public const int StatusAt = 9;
    public const int ReasonAt = 13;

    /// <summary>What every such line starts with.</summary>
    public static ReadOnlySpan<byte> Start => "HTTP/1."u8;

    /// <param name="line">The line without its line end.</param>
    public static bool IsValid(ReadOnlySpan<byte> line)
        => line.Length >= ReasonAt - 1
            && (line.StartsWith("HTTP/1.1 "u8) || line.StartsWith("HTTP/1.0 "u8))
            && line[StatusAt] is >= (byte)'1' and <= (byte)'5'
            && char.IsAsciiDigit((char)line[StatusAt + 1])
            && char.IsAsciiDigit((char)line[StatusAt + 2])
            && (line.Length == ReasonAt - 1 || line[ReasonAt - 1] == (byte)' ')
            && HeaderReader.IsValue(line);

    /// <summary>Whether a valid line is of HTTP/1.0.</summary>
    public static bool IsHttp10(ReadOnlySpan<byte> line) => line[Start.Length] == '0';

    /// <summary>The status of a valid line, 100 to 599.</summary>
    public static int Status(ReadOnlySpan<byte> line)
        => ((line[StatusAt] - '0') * 100) + ((line[StatusAt + 1] - '0') * 10) + (line[StatusAt + 2] - '0');

    /// <summary>The reason phrase of a valid line, often empty.</summary>
    public static ReadOnlySpan<byte> Reason(ReadOnlySpan<byte> line) => line.Length > ReasonAt ? line[ReasonAt..] : default;
}
