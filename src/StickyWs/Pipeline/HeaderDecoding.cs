using System.Text;
using Microsoft.Net.Http.Headers;

namespace StickyWs.Pipeline;

/// <summary>
/// How Kestrel must read and write header values for a proxy: as Latin-1, so that their bytes pass unchanged, whether they are Latin-1, UTF-8 or
/// neither. Two request headers get special treatment, because Kestrel loses what a proxy needs of them.
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

    // Kestrel accepts +10 as 10, but RFC 9110 section 8.6 allows digits only. Anything else is turned into a value that Kestrel answers with 400.
    private static string Length(string value)
        => value.Length is > 0 and <= LongestNumber && value.All(char.IsAsciiDigit) ? value : "x";

    // If a Connection value has exactly one of close, keep-alive and upgrade, Kestrel replaces the value with that one and loses the other names.
    // Adding or removing keep-alive means nothing in HTTP/1.1 (RFC 9112 section 9.3), and makes it two of them, or none. A value with one option
    // stays as it is; so an option on a line of its own is still lost next to a lone keep-alive.
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
