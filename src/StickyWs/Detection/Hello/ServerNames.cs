using System.Buffers;
using System.Text;

namespace StickyWs.Detection;

/// <summary>
/// The names that hosts have in TLS (RFC 6066 section 3): ASCII, letters of other scripts as A-labels. A trailing dot makes the same name fully qualified;
/// it should not be there, and is ignored, as it is in <c>Host</c>.
/// </summary>
internal static class ServerNames
{
    private const int LongestLabel = 63;

    private static readonly SearchValues<byte> NameBytes = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."u8);

    /// <returns>The name in lower case; <see langword="null"/> if no host can be called so.</returns>
    public static string? Read(ReadOnlySpan<byte> bytes)
    {
        var name = bytes is [.. var qualified, (byte)'.'] ? qualified : bytes;
        if (name.IsEmpty || name.ContainsAnyExcept(NameBytes)) return null;
        var label = ReadOnlySpan<byte>.Empty;
        foreach (var range in name.Split((byte)'.'))
        {
            label = name[range];
            if (label.IsEmpty || label.Length > LongestLabel) return null;
        }

        // A last label of digits alone is that of an IPv4 address; no domain of the DNS has one.
        if (!label.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return null;
        return string.Create(name.Length, name, static (text, name) =>
        {
            for (var i = 0; i < text.Length; i++) text[i] = char.ToLowerInvariant((char)name[i]);
        });
    }
}
