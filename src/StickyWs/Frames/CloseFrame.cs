using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace StickyWs.Frames;

/// <summary>A Close frame of our own (RFC 6455 section 5.5.1).</summary>
internal static class CloseFrame
{
    /// <summary>The most bytes that one takes.</summary>
    public const int Longest = 2 + MaskBytes + LongestBody;

    /// <summary>The most bytes of UTF-8 that a reason may have.</summary>
    public const int LongestReason = LongestBody - sizeof(ushort);

    private const int MaskBytes = 4;
    private const int LongestBody = 125;
    private const byte FinAndClose = 0x88;
    private const byte MaskBit = 0x80;

    /// <summary>Writes one.</summary>
    /// <param name="to">At least <see cref="Longest"/> bytes.</param>
    /// <param name="code">Its status code (RFC 6455 section 7.4).</param>
    /// <param name="reason">Its text; what does not fit into <see cref="LongestReason"/> bytes is left out.</param>
    /// <param name="isMasked">Whether it goes to a server: it then gets a random key (section 5.3).</param>
    /// <returns>Its length.</returns>
    public static int Write(Span<byte> to, ushort code, ReadOnlySpan<char> reason, bool isMasked)
    {
        var start = isMasked ? 2 + MaskBytes : 2;
        var body = to[start..(start + LongestBody)];
        BinaryPrimitives.WriteUInt16BigEndian(body, code);
        var length = sizeof(ushort) + Encode(reason, body[sizeof(ushort)..]);
        to[0] = FinAndClose;
        to[1] = (byte)(isMasked ? MaskBit | length : length);
        if (isMasked) Mask(to[2..start], body[..length]);
        return start + length;
    }

    // Whole characters only.
    private static int Encode(ReadOnlySpan<char> reason, Span<byte> to)
    {
        Encoding.UTF8.GetEncoder().Convert(reason, to, flush: false, out _, out var length, out _);
        return length;
    }

    private static void Mask(Span<byte> key, Span<byte> body)
    {
        RandomNumberGenerator.Fill(key);
        for (var i = 0; i < body.Length; i++) body[i] ^= key[i % MaskBytes];
    }
}
