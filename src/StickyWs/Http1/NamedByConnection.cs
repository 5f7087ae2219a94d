namespace StickyWs.Http1;

/// <summary>The headers that a message's <c>Connection</c> header names; they end at this hop (RFC 9110 section 7.6.1).</summary>
internal static class NamedByConnection
{
    public static bool Contains(HeaderReader headers, ReadOnlySpan<byte> name)
    {
        if (!HeaderNames.CanBeDisowned(name)) return false;
        while (headers.Read())
        {
            if (HeaderNames.Is(headers.Name, HeaderNames.Connection) && TokenList.Contains(headers.Value, name)) return true;
        }

        return false;
    }

    /// <summary>Whether <c>Connection</c> names any header besides those that are hop-by-hop anyway. This is rare, and saves the look-ups
    /// otherwise.</summary>
    public static bool HasAny(HeaderReader headers)
    {
        while (headers.Read())
        {
            if (!HeaderNames.Is(headers.Name, HeaderNames.Connection)) continue;
            var tokens = new TokenList(headers.Value);
            while (tokens.Read())
            {
                var token = tokens.Current;
                if (!HeaderNames.Is(token, HeaderNames.Upgrade) && !HeaderNames.Is(token, "keep-alive"u8)) return true;
            }
        }

        return false;
    }
}
