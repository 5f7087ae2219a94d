using System.Text;

namespace StickyWs.Pipeline;

/// <summary>
/// Latin-1, with a say in what a header value is read as. Kestrel's choice of encoding is the only place where a value can be seen
/// before Kestrel parses it.
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

    /// <summary>A little more than there are bytes, for what may be added.</summary>
    public override int GetMaxCharCount(int byteCount) => byteCount + 16;
}
