using System.Numerics;

namespace StickyWs.Http1;

/// <summary>Credentials that authenticate a connection instead of a request: NTLM, and Negotiate (RFC 4559).</summary>
internal static class ConnectionCredentials
{
    public const string Ntlm = "NTLM";
    public const string Negotiate = "Negotiate";

    /// <summary>Whether the value of <c>Authorization</c> or <c>Proxy-Authorization</c> is of such a scheme.</summary>
    public static bool AreIn<T>(ReadOnlySpan<T> value)
        where T : unmanaged, IBinaryInteger<T>
        => IsOf(value, Ntlm) || IsOf(value, Negotiate);

    private static bool IsOf<T>(ReadOnlySpan<T> value, string scheme)
        where T : unmanaged, IBinaryInteger<T>
        => value.Length >= scheme.Length
            && HeaderNames.Is(value[..scheme.Length], scheme)
            && (value.Length == scheme.Length || value[scheme.Length] == T.CreateTruncating(' ') || value[scheme.Length] == T.CreateTruncating('\t'));
}
