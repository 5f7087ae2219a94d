namespace StickyWs.Detection;

/// <summary>The headers that a message's <c>Connection</c> names, which go no further than this hop (RFC 9110 section 7.6.1).</summary>
internal static class NamedByConnection
{
    public static bool Contains(HeaderReader headers, ReadOnlySpan<byte> name)
    {
        while (headers.Read())
        {
            if (HeaderNames.Is(headers.Name, HeaderNames.Connection) && TokenList.Contains(headers.Value, name)) return true;
        }

        return false;
    }
}
