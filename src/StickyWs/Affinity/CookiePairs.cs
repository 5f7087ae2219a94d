using System.Buffers;
using System.Text;

namespace StickyWs.Affinity;

/// <summary>Finds a cookie in a <c>Cookie</c> header (RFC 6265 section 4.2.1): names compare exactly, quotes belong to the value.</summary>
internal static class CookiePairs
{
    public static bool TryFind(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        var first = 0;
        return TryFind(line, name, ref first, out value);
    }

    /// <summary>Finds one of several of that name.</summary>
    /// <param name="line">The header.</param>
    /// <param name="name">The cookie's name.</param>
    /// <param name="skipped">How many to pass over; takes how many are left to pass over in further lines.</param>
    /// <param name="value">Takes the value.</param>
    public static bool TryFind(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name, scoped ref int skipped, out ReadOnlySpan<byte> value)
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

    /// <summary>The same in a header that Kestrel has read.</summary>
    /// <param name="line">The header.</param>
    /// <param name="name">The cookie's name.</param>
    /// <param name="value">Takes the value.</param>
    /// <param name="length">How long it is; 0 when it does not fit.</param>
    public static bool TryFind(string? line, ReadOnlySpan<byte> name, Span<byte> value, out int length)
    {
        var first = 0;
        return TryFind(line, name, ref first, value, out length);
    }

    public static bool TryFind(string? line, ReadOnlySpan<byte> name, scoped ref int skipped, Span<byte> value, out int length)
    {
        length = 0;
        if (string.IsNullOrEmpty(line)) return false;
        var rented = ArrayPool<byte>.Shared.Rent(line.Length);
        try
        {
            var bytes = rented.AsSpan(0, Encoding.Latin1.GetBytes(line, rented));
            if (!TryFind(bytes, name, ref skipped, out var found)) return false;
            if (found.TryCopyTo(value)) length = found.Length;
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
