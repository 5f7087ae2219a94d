using System.Numerics;

namespace StickyWs.Http1;

/// <summary>
/// The headers by which proxies tell of the client: <c>Forwarded</c> (RFC 7239) and all that begin with <c>X-Forwarded-</c>. Names are bytes or characters.
/// </summary>
internal static class ForwardedNames
{
    public const string For = "X-Forwarded-For";
    public const string Proto = "X-Forwarded-Proto";
    public const string Host = "X-Forwarded-Host";

    private const string Standard = "Forwarded";

    /// <summary>Whether it is one, or would be taken for one by an application server that reads an underscore as a hyphen, as CGI's do.</summary>
    public static bool IsOne<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => HeaderNames.Is(name, Standard)
            || (name.Length > 12 && IsDash(name[1]) && IsDash(name[11]) && HeaderNames.Is(name[..1], "X") && HeaderNames.Is(name[2..11], Standard));

    /// <summary>Whether it is one of the three that are written anew for every backend.</summary>
    public static bool IsWrittenAnew<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => HeaderNames.Is(name, For) || HeaderNames.Is(name, Proto) || HeaderNames.Is(name, Host);

    /// <summary>
    /// Whether what a request brings by one of these names goes on to the backend: a trusted proxy's word, and what the application says by a name that is
    /// not written anew. A name that is only made to look like one passes from nobody, since no proxy writes an underscore.
    /// </summary>
    public static bool Passes<T>(ReadOnlySpan<T> name, bool isTrusted, bool isOfApplication)
        where T : unmanaged, IBinaryInteger<T>
        => (isTrusted || (isOfApplication && !IsWrittenAnew(name))) && !name.Contains(T.CreateTruncating('_'));

    private static bool IsDash<T>(T letter)
        where T : unmanaged, IBinaryInteger<T>
        => letter == T.CreateTruncating('-') || letter == T.CreateTruncating('_');
}
