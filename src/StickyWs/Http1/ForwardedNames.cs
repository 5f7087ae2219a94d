using System.Text;

namespace StickyWs.Http1;

/// <summary>The headers in which proxies describe the client: <c>Forwarded</c> (RFC 7239) and everything that begins with
/// <c>X-Forwarded-</c>.</summary>
internal static class ForwardedNames
{
    private const string Standard = "Forwarded";

    /// <summary>Whether it is one, or looks like one to application servers that read an underscore as a hyphen, as CGI does.</summary>
    public static bool IsOne(ReadOnlySpan<byte> name)
        => Ascii.EqualsIgnoreCase(name, Standard)
            || (name.Length > 12 && IsDash(name[1]) && IsDash(name[11]) && (name[0] | 0x20) == 'x' && Ascii.EqualsIgnoreCase(name[2..11], Standard));

    public static bool IsOne(ReadOnlySpan<char> name)
        => Ascii.EqualsIgnoreCase(name, Standard)
            || (name.Length > 12 && IsDash(name[1]) && IsDash(name[11]) && (name[0] | 0x20) == 'x' && Ascii.EqualsIgnoreCase(name[2..11], Standard));

    /// <summary>Whether it is one of the three that are rewritten for every backend.</summary>
    public static bool IsWrittenAnew(ReadOnlySpan<byte> name)
        => Ascii.EqualsIgnoreCase(name, "X-Forwarded-For")
            || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Proto")
            || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Host");

    public static bool IsWrittenAnew(ReadOnlySpan<char> name)
        => Ascii.EqualsIgnoreCase(name, "X-Forwarded-For")
            || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Proto")
            || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Host");

    /// <summary>Whether it only imitates one: no proxy writes an underscore, so it is always dropped.</summary>
    public static bool IsFake(ReadOnlySpan<byte> name) => name.Contains((byte)'_');

    public static bool IsFake(ReadOnlySpan<char> name) => name.Contains('_');

    private static bool IsDash(int letter) => letter is '-' or '_';
}
