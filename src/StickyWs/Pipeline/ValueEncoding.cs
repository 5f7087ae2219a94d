using System.Text;

namespace StickyWs.Pipeline;

/// <summary>
/// Latin-1 that may replace a header value while decoding it. Kestrel's choice of encoding is the only hook before Kestrel parses the value.
/// </summary>
internal sealed class ValueEncoding(Func<string, string> read) : Encoding
{
    public override int GetByteCount(char[] chars, int index, int count) => count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex)
        => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetCharCount(byte[] bytes, int index, int count) => read(Latin1.GetString(bytes, index, count)).Length;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        => GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        var value = read(Latin1.GetString(bytes));
        value.CopyTo(chars);
        return value.Length;
    }

    public override int GetMaxByteCount(int charCount) => charCount;

    /// <summary>A little more than the number of bytes, to leave room for additions.</summary>
    public override int GetMaxCharCount(int byteCount) => byteCount + 16;
}
