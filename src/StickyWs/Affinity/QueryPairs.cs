namespace StickyWs.Affinity;

/// <summary>Finds a parameter in a query, decoded as forms are (percent signs, and a plus for a space). What is badly encoded stands for itself.</summary>
internal static class QueryPairs
{
    /// <summary>The query of a request target.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> target)
    {
        var mark = target.IndexOf((byte)'?');
        return mark < 0 ? default : target[(mark + 1)..];
    }

    /// <summary>Copies a parameter's decoded value, the first of its name; the name is given decoded, and letters of ASCII compare without case.</summary>
    /// <returns><see langword="false"/> when there is none, when it is empty, or when it does not fit.</returns>
    public static bool TryFind(ReadOnlySpan<byte> query, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        length = 0;
        while (!query.IsEmpty)
        {
            var ampersand = query.IndexOf((byte)'&');
            var pair = ampersand < 0 ? query : query[..ampersand];
            query = ampersand < 0 ? default : query[(ampersand + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if (equals < 0 || !IsNamed(pair[..equals], name)) continue;
            return TryDecode(pair[(equals + 1)..], value, out length) && length > 0;
        }

        return false;
    }

    private static bool IsNamed(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> name)
    {
        var matched = 0;
        for (var i = 0; i < encoded.Length;)
        {
            if (matched == name.Length || Lower(Next(encoded, ref i)) != Lower(name[matched++])) return false;
        }

        return matched == name.Length;
    }

    private static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> value, out int length)
    {
        length = 0;
        for (var i = 0; i < encoded.Length;)
        {
            if (length == value.Length) return false;
            value[length++] = Next(encoded, ref i);
        }

        return true;
    }

    private static byte Next(ReadOnlySpan<byte> encoded, ref int at)
    {
        var current = encoded[at++];
        if (current == (byte)'+') return (byte)' ';
        if (current != (byte)'%' || at + 1 >= encoded.Length || Hex(encoded[at]) is not (>= 0 and var high) || Hex(encoded[at + 1]) is not (>= 0 and var low)) return current;
        at += 2;
        return (byte)((high << 4) | low);
    }

    private static byte Lower(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;

    private static int Hex(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
