using System.Security.Cryptography;

namespace StickyWs.Health;

/// <summary>The two frames that a probe sends, masked as a client must (RFC 6455 section 5.3).</summary>
internal static class ProbeFrame
{
    private const byte Final = 0x80;
    private const byte Masked = 0x80;
    private const int MaskBytes = 4;

    public static byte[] Ping(ReadOnlySpan<byte> payload) => Control(0x9, payload);

    /// <summary>Close with status 1000 (RFC 6455 section 7.4.1).</summary>
    public static byte[] NormalClose() => Control(0x8, [1000 >> 8, 1000 & 0xff]);

    private static byte[] Control(byte opcode, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[2 + MaskBytes + payload.Length];
        frame[0] = (byte)(Final | opcode);
        frame[1] = (byte)(Masked | payload.Length);
        var mask = frame.AsSpan(2, MaskBytes);
        RandomNumberGenerator.Fill(mask);
        for (var i = 0; i < payload.Length; i++) frame[2 + MaskBytes + i] = (byte)(payload[i] ^ mask[i % MaskBytes]);
        return frame;
    }
}
