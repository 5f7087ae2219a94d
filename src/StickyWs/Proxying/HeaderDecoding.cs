using System.Text;
using Microsoft.Net.Http.Headers;

namespace StickyWs.Proxying;

/// <summary>
/// How Kestrel has to decode and encode headers so that the bytes of a value pass unchanged, whether they are Latin-1, UTF-8 or
/// neither; and so that it refuses a <c>Content-Length</c> that is not made of digits alone (RFC 9110 section 8.6) with 400. By
/// itself it takes <c>+10</c> for 10.
/// </summary>
internal static class HeaderDecoding
{
    private static readonly Encoding DigitsOnly = new DigitsOnlyEncoding();

    /// <summary>For <c>KestrelServerOptions.RequestHeaderEncodingSelector</c>.</summary>
    public static Encoding ForRequest(string name)
        => name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) ? DigitsOnly : Encoding.Latin1;

    /// <summary>For <c>KestrelServerOptions.ResponseHeaderEncodingSelector</c>.</summary>
    public static Encoding ForResponse(string name) => Encoding.Latin1;

    // Kestrel decodes the value before it parses it: what is no digit becomes something that it refuses.
    private sealed class DigitsOnlyEncoding : Encoding
    {
        private const char Refused = 'x';

        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
            => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetCharCount(byte[] bytes, int index, int count) => count;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
            => GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        // A value longer than the room for it is longer than any number: it fills the room and is refused for its length.
        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            var count = Math.Min(bytes.Length, chars.Length);
            for (var i = 0; i < count; i++) chars[i] = char.IsAsciiDigit((char)bytes[i]) ? (char)bytes[i] : Refused;
            return count;
        }

        public override int GetMaxByteCount(int charCount) => charCount;

        public override int GetMaxCharCount(int byteCount) => byteCount;
    }
}
