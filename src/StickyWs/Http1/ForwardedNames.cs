using System.Text;

namespace StickyWs.Http1;

/// <summary>The headers by which proxies tell of the client: <c>Forwarded</c> (RFC 7239) and all that begin with <c>X-Forwarded-</c>.</summary>
internal static class ForwardedNames
{
    private const string Standard = "Forwarded";

    /// <summary>Whether it is one, or would be taken for one by an application server that reads an underscore as a hyphen, as CGI's do.</summary>
    public static bool IsOne(ReadOnlySpan<byte> name)
        => Ascii.EqualsIgnoreCase(name, Standard)
            || (name.Length > 12 && IsDash(name[1]) && IsDash(name[11]) && (name[0] | 0x20) == 'x' && Ascii.EqualsIgnoreCase(name[2..11], Standard));

    public static bool IsOne(ReadOnlySpan<char> name)
        => Ascii.EqualsIgnoreCase(name, Standard)
            || (name.Length > 12 && IsDash(name[1]) && IsDash(name[11]) && (name[0] | 0x20) == 'x' && Ascii.EqualsIgnoreCase(name[2..11], Standard));

    /// <summary>Whether it is one of the three that are written anew for every backend.</summary>
    public static bool IsWrittenAnew(ReadOnlySpan<byte> name)
        => Ascii.EqualsIgnoreCase(name, "X-Forwarded-For") || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Proto") || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Host");

    public static bool IsWrittenAnew(ReadOnlySpan<char> name)
        => Ascii.EqualsIgnoreCase(name, "X-Forwarded-For") || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Proto") || Ascii.EqualsIgnoreCase(name, "X-Forwarded-Host");

    /// <summary>Whether a name that is one is only made to look like it: no proxy writes an underscore, so it passes from nobody.</summary>
    public static bool IsFake(ReadOnlySpan<byte> name) => name.Contains((byte)'_');

    public static bool IsFake(ReadOnlySpan<char> name) => name.Contains('_');

    private static bool IsDash(int letter) => letter is '-' or '_';
}
