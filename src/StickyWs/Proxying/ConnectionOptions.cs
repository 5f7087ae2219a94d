using System.Net.Http.Headers;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace StickyWs.Proxying;

/// <summary>
/// Headers that a sender named in <c>Connection</c>: they are meant for the next hop, which is us, and go no further
/// (RFC 9110 section 7.6.1). What frames and routes a message cannot be disowned that way.
/// </summary>
internal static class ConnectionOptions
{
    /// <summary>Drops from headers what the <c>Connection</c> values name.</summary>
    public static void Drop(StringValues connection, HttpHeaders headers, HttpHeaders? contentHeaders)
    {
        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(',')) Drop(value.AsSpan(range).Trim(" \t"), headers, contentHeaders);
        }
    }

    private static void Drop(ReadOnlySpan<char> option, HttpHeaders headers, HttpHeaders? contentHeaders)
    {
        if (option.IsEmpty || IsEssential(option)) return;
        var name = option.ToString();
        if (headers.NonValidated.Contains(name)) headers.Remove(name);
        else if (contentHeaders is not null && contentHeaders.NonValidated.Contains(name)) contentHeaders.Remove(name);
    }

    private static bool IsEssential(ReadOnlySpan<char> name)
        => name.Equals(HeaderNames.Host, StringComparison.OrdinalIgnoreCase)
            || name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)
            || name.Equals(HeaderNames.TransferEncoding, StringComparison.OrdinalIgnoreCase);
}
