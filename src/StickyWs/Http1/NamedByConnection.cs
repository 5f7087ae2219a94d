namespace StickyWs.Http1;

/// <summary>The headers that a message's <c>Connection</c> names, which go no further than this hop (RFC 9110 section 7.6.1).</summary>
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

    /// <summary>Whether <c>Connection</c> names any header at all, beside those that never pass anyway: seldom, and then nothing has to be looked up.</summary>
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
