using System.Buffers;
using System.Text;

namespace StickyWs.Affinity;

/// <summary>Finds a value by name in a <c>Cookie</c> header or a query.</summary>
internal static class Pairs
{
    /// <summary>Finds a cookie in a <c>Cookie</c> header (RFC 6265 section 4.2.1): names are compared exactly, quotes are part of the value.</summary>
    public static bool TryFindCookie(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var first = 0;
        return TryFindCookie(line, name, ref first, out value);
    }

    /// <summary>Finds one of several cookies with the same name.</summary>
    /// <param name="line">The header.</param>
    /// <param name="name">The cookie's name.</param>
    /// <param name="skipped">How many to skip; receives how many are left to skip in further lines.</param>
    /// <param name="value">Takes the value.</param>
    public static bool TryFindCookie(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, scoped ref int skipped, out ReadOnlySpan<byte> value)
    {
        value = default;
        while (!line.IsEmpty)
        {
            var semicolon = line.IndexOf((byte)';');
            var pair = (semicolon < 0 ? line : line[..semicolon]).Trim(" \t"u8);
            line = semicolon < 0 ? default : line[(semicolon + 1)..];
            var equals = pair.IndexOf((byte)'=');
            if (equals < 0 || !pair[..equals].SequenceEqual(name) || skipped-- > 0) continue;
            value = pair[(equals + 1)..];
            return true;
        }

        return false;
    }

    /// <summary>The same for a header that Kestrel has parsed.</summary>
    /// <param name="line">The header.</param>
    /// <param name="name">The cookie's name.</param>
    /// <param name="value">Takes the value.</param>
    /// <param name="length">How long it is; 0 when it does not fit.</param>
    public static bool TryFindCookie(string? line, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        var first = 0;
        return TryFindCookie(line, name, ref first, value, out length);
    }

    public static bool TryFindCookie(string? line, ReadOnlySpan<byte> name, scoped ref int skipped, Span<byte> value, out int length)
    {
        length = 0;
        if (string.IsNullOrEmpty(line)) return false;
        var rented = ArrayPool<byte>.Shared.Rent(line.Length);
        try
        {
            var bytes = rented.AsSpan(0, Encoding.Latin1.GetBytes(line, rented));
            if (!TryFindCookie(bytes, name, ref skipped, out var found)) return false;
            if (found.TryCopyTo(value)) length = found.Length;
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The query of a request target.</summary>
    public static ReadOnlySpan<byte> QueryOf(ReadOnlySpan<byte> target)
    {
        var mark = target.IndexOf((byte)'?');
        return mark < 0 ? default : target[(mark + 1)..];
    }

    /// <summary>
    /// Copies the value of the first parameter with that name, decoded as forms are (percent escapes, and plus for space). Invalid escapes are taken
    /// literally. The name is given decoded; ASCII letters are compared case-insensitively.
    /// </summary>
    /// <returns><see langword="false"/> when there is none, when it is empty, or when it does not fit.</returns>
    public static bool TryFindParameter(ReadOnlySpan<byte> query, ReadOnlySpan<byte> name, Span<byte> value, out int length)
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
        if (current != (byte)'%' || at + 1 >= encoded.Length) return current;
        if (Hex(encoded[at]) is not (>= 0 and var high) || Hex(encoded[at + 1]) is not (>= 0 and var low)) return current;
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
