using System.Numerics;

namespace StickyWs.Http1;

/// <summary>The methods that change nothing, so that a request without a body may be sent again (RFC 9110 sections 9.2.1 and 9.2.2).</summary>
internal static class SafeMethods
{
    /// <summary>Whether a method, in bytes or characters, is one.</summary>
    public static bool Contain<T>(ReadOnlySpan<T> method)
        where T : unmanaged, IBinaryInteger<T>
        => method.Length switch
        {
            3 => HeaderNames.Is(method, "GET"),
            4 => HeaderNames.Is(method, "HEAD"),
            5 => HeaderNames.Is(method, "TRACE"),
            7 => HeaderNames.Is(method, "OPTIONS"),
            _ => false,
        };
}
