namespace StickyWs.Http1;

/// <summary>Reads a comma-separated list of tokens (RFC 9110 section 5.6.1) and skips empty elements.</summary>
internal ref struct TokenList(ReadOnlySpan<byte> list)
{
    private ReadOnlySpan<byte> _rest = list;

    public ReadOnlySpan<byte> Current { get; private set; }

    public bool Read()
    {
        while (!_rest.IsEmpty)
        {
            var comma = _rest.IndexOf((byte)',');
            Current = (comma < 0 ? _rest : _rest[..comma]).Trim(" \t"u8);
            _rest = comma < 0 ? default : _rest[(comma + 1)..];
            if (!Current.IsEmpty) return true;
        }

        return false;
    }

    public static bool Contains(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
    {
        var tokens = new TokenList(list);
        while (tokens.Read())
        {
            if (HeaderNames.Is(tokens.Current, token)) return true;
        }

        return false;
    }
}
