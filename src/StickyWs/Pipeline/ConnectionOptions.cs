using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Http1;

namespace StickyWs.Pipeline;

/// <summary>
/// Headers that a sender named in <c>Connection</c>: they are meant for the next hop, which is us, and go no further
/// (RFC 9110 section 7.6.1).
/// </summary>
internal static class ConnectionOptions
{
    /// <summary>
    /// Removes from a new request the headers that its <c>Connection</c> names, and their names from <c>Connection</c>. Headers that a WebSocket
    /// handshake needs stay named, so that the handshake is refused.
    /// </summary>
    public static void Strip(IHeaderDictionary headers)
    {
        var connection = headers.Connection;
        if (connection.Count == 0 || !NamesAny(connection)) return;
        var kept = new List<string>();
        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                var option = value.AsSpan(range).Trim(" \t");
                if (option.IsEmpty) continue;
                if (IsExempt(option)) kept.Add(option.ToString());
                else headers.Remove(option.ToString());
            }
        }

        headers.Connection = kept.Count == 0 ? StringValues.Empty : string.Join(", ", kept);
    }

    /// <summary>Removes the headers that the <c>Connection</c> values name.</summary>
    public static void Drop(StringValues connection, HttpHeaders headers, HttpHeaders? contentHeaders)
    {
        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(',')) Drop(value.AsSpan(range).Trim(" \t"), headers, contentHeaders);
        }
    }

    private static bool NamesAny(StringValues connection)
    {
        foreach (var value in connection)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan(range).Trim(" \t") is { IsEmpty: false } option && !IsExempt(option)) return true;
            }
        }

        return false;
    }

    // Bound to the hop by their nature, so that no naming is needed, or not to be disowned.
    private static bool IsExempt(ReadOnlySpan<char> option)
        => HeaderNames.IsOfConnection(option) || HeaderNames.IsEssential(option) || !HeaderNames.CanBeDisowned(option);

    private static void Drop(ReadOnlySpan<char> option, HttpHeaders headers, HttpHeaders? contentHeaders)
    {
        if (option.IsEmpty || !HeaderNames.CanBeDisowned(option)) return;
        var name = option.ToString();
        if (headers.NonValidated.Contains(name)) headers.Remove(name);
        else if (contentHeaders is not null && contentHeaders.NonValidated.Contains(name)) contentHeaders.Remove(name);
    }
}
