using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Http1;

namespace StickyWs.Proxying;

/// <summary>
/// Authentication of a connection instead of a request: NTLM, and Negotiate (RFC 4559). Any request on such a connection is attributed to the user
/// who authenticated it, so it must not be shared.
/// </summary>
internal static class ConnectionAuthentication
{
    private static readonly string[] Schemes = [ConnectionCredentials.Ntlm, ConnectionCredentials.Negotiate];

    /// <summary>Whether a request starts or continues it.</summary>
    public static bool IsIn(IHeaderDictionary headers) => IsIn(headers.Authorization) || IsIn(headers.ProxyAuthorization);

    /// <summary>Whether a response continues it on the same connection, so that the rest of a body has to be sent (RFC 4559 section 5).</summary>
    public static bool GoesOn(int status, ReadOnlySpan<byte> head)
    {
        if (status is not (401 or 407)) return false;
        foreach (var scheme in Schemes)
        {
            if (Contains(head, scheme)) return true;
        }

        return false;
    }

    private static bool Contains(ReadOnlySpan<byte> text, string word)
    {
        for (var i = 0; i + word.Length <= text.Length; i++)
        {
            if (HeaderNames.Is(text.Slice(i, word.Length), word)) return true;
        }

        return false;
    }

    private static bool IsIn(StringValues credentials)
    {
        foreach (var value in credentials)
        {
            if (ConnectionCredentials.AreIn(value.AsSpan().TrimStart())) return true;
        }

        return false;
    }
}
