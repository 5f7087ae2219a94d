using System.Buffers;
using System.Text.Json;

namespace StickyWs.Affinity;

/// <summary>
/// The tokens of SignalR and Socket.IO: base64url, long enough not to be guessed. Anything else that an application calls <c>id</c> is not a token.
/// </summary>
internal static class TokenText
{
    private const int Shortest = 16;
    private const int Longest = 512;

    private const int LongestBefore = 16;

    private static readonly SearchValues<byte> Before = SearchValues.Create([.. "0123456789: \t\r\n"u8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xFF]);

    private static readonly SearchValues<byte> Base64Url = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="u8);

    public static bool IsToken(ReadOnlySpan<byte> text) => text.Length is >= Shortest and <= Longest && !text.ContainsAnyExcept(Base64Url);

    /// <summary>
    /// Whether this is an incomplete response of theirs: a JSON object without its end, or what may precede it (Engine.IO's packet type and length,
    /// white space).
    /// </summary>
    public static bool IsPart(ReadOnlySpan<byte> bytes)
    {
        var start = bytes.IndexOf((byte)'{');
        if (start < 0) return bytes.Length <= LongestBefore && !bytes.ContainsAnyExcept(Before);
        if (start > LongestBefore || bytes[..start].ContainsAnyExcept(Before)) return false;
        var reader = new Utf8JsonReader(bytes[start..], isFinalBlock: false, state: default);
        try
        {
            while (reader.Read())
            {
                if (reader is { TokenType: JsonTokenType.EndObject, CurrentDepth: 0 }) return false;
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// Reads a string member at the top level of a JSON object that starts somewhere in <paramref name="bytes"/>; nested members do not count.
    /// </summary>
    /// <param name="bytes">JSON, including anything before its first brace; it may be cut off after the member.</param>
    /// <param name="member">The member's name.</param>
    /// <param name="value">Takes the text.</param>
    /// <param name="length">How long it is.</param>
    public static bool TryMember(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> member, Span<byte> value, out int length)
    {
        length = 0;
        var start = bytes.IndexOf((byte)'{');
        if (start < 0) return false;
        var reader = new Utf8JsonReader(bytes[start..], isFinalBlock: false, state: default);
        try
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                var isIt = reader.ValueTextEquals(member);
                if (!reader.Read()) return false;
                if (!isIt)
                {
                    if (!reader.TrySkip()) return false;
                    continue;
                }

                if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > value.Length) return false;
                length = reader.CopyString(value);
                return true;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, or no valid text: nothing to learn.
        }

        return false;
    }
}
