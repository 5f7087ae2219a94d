using System.Text;
using Microsoft.Net.Http.Headers;

namespace StickyWs.Pipeline;

/// <summary>
/// How Kestrel has to read and write header values for a proxy: as Latin-1, so that their bytes pass unchanged, be they Latin-1, UTF-8
/// or neither. Two headers are read with more care, because Kestrel loses what a proxy needs of them.
/// </summary>
internal static class HeaderDecoding
{
    private const string KeepAlive = "keep-alive";
    private const int LongestNumber = 19;

    private static readonly Encoding LengthEncoding = new ValueEncoding(Length);
    private static readonly Encoding ConnectionEncoding = new ValueEncoding(Connection);

    /// <summary>For <c>KestrelServerOptions.RequestHeaderEncodingSelector</c>.</summary>
    public static Encoding ForRequest(string name)
    {
        if (name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)) return LengthEncoding;
        return name.Equals(HeaderNames.Connection, StringComparison.OrdinalIgnoreCase) ? ConnectionEncoding : Encoding.Latin1;
    }

    /// <summary>For <c>KestrelServerOptions.ResponseHeaderEncodingSelector</c>.</summary>
    public static Encoding ForResponse(string name) => Encoding.Latin1;

    // Kestrel takes +10 for 10; RFC 9110 section 8.6 has digits only. What is none is read as something that Kestrel answers with 400.
    private static string Length(string value) => value.Length is > 0 and <= LongestNumber && value.All(char.IsAsciiDigit) ? value : "x";

    // Kestrel replaces a Connection that has exactly one of close, keep-alive and upgrade by that one, and with it goes what else the
    // client named. A keep-alive more or less changes nothing in HTTP/1.1 (RFC 9112 section 9.3) and makes it two, or none. A value
    // of one option is left as it is, so an option on a line of its own is still lost beside a lone keep-alive.
    private static string Connection(string value)
    {
        var options = value.Split(',', StringSplitOptions.TrimEntries);
        if (options.Length < 2) return value;
        var keepsAlive = options.Contains(KeepAlive, StringComparer.OrdinalIgnoreCase);
        var closes = options.Contains("close", StringComparer.OrdinalIgnoreCase);
        var upgrades = options.Contains("upgrade", StringComparer.OrdinalIgnoreCase);
        if (closes == upgrades) return keepsAlive && !closes ? Without(KeepAlive, options) : value;
        return keepsAlive ? value : $"{value}, {KeepAlive}";
    }

    private static string Without(string option, string[] options)
        => string.Join(", ", options.Where(other => !other.Equals(option, StringComparison.OrdinalIgnoreCase)));
}
