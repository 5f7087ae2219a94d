using System.Text;

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

    /// <summary>Copies a parameter's decoded value, the first of its name.</summary>
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
            if (equals < 0 || !Ascii.EqualsIgnoreCase(pair[..equals], name)) continue;
            return TryDecode(pair[(equals + 1)..], value, out length) && length > 0;
        }

        return false;
    }

    private static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> value, out int length)
    {
        length = 0;
        for (var i = 0; i < encoded.Length; i++)
        {
            if (length == value.Length) return false;
            var current = encoded[i];
            if (current == (byte)'+')
            {
                current = (byte)' ';
            }
            else if (current == (byte)'%' && i + 2 < encoded.Length && Hex(encoded[i + 1]) is >= 0 and var high && Hex(encoded[i + 2]) is >= 0 and var low)
            {
                current = (byte)((high << 4) | low);
                i += 2;
            }

            value[length++] = current;
        }

        return true;
    }

    private static int Hex(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
