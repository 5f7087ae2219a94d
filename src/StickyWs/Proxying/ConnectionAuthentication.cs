using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace StickyWs.Proxying;

/// <summary>
/// Authentication of a connection instead of a request: NTLM, and Negotiate (RFC 4559). Whoever sends on such a connection is taken for who
/// authenticated it, so it must not be shared.
/// </summary>
internal static class ConnectionAuthentication
{
    private static readonly string[] Schemes = ["NTLM", "Negotiate"];

    /// <summary>Whether a request begins it, or goes on with it.</summary>
    public static bool IsIn(IHeaderDictionary headers) => IsIn(headers.Authorization) || IsIn(headers.ProxyAuthorization);

    private static bool IsIn(StringValues credentials)
    {
        foreach (var value in credentials)
        {
            if (Array.Exists(Schemes, scheme => IsOf(value.AsSpan().TrimStart(), scheme))) return true;
        }

        return false;
    }

    private static bool IsOf(ReadOnlySpan<char> credentials, string scheme)
        => credentials.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && (credentials.Length == scheme.Length || credentials[scheme.Length] is ' ' or '\t');
}
