using System.Buffers;

namespace StickyWs.Configuration;

/// <summary>A token (RFC 9110 section 5.6.2), as used for names of headers, cookies, methods and subprotocols.</summary>
internal static class Token
{
    private static readonly SearchValues<char> Chars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool Is(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(Chars);
}
