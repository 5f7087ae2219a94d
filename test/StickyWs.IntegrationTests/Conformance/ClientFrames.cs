using System.Buffers.Binary;
using System.Text;

namespace StickyWs.IntegrationTests.Conformance;

/// <summary>A client's frames (RFC 6455 section 5.2), right ones and wrong ones, each with a key of its own.</summary>
internal sealed class ClientFrames(int seed)
{
    public const int Continuation = 0;
    public const int Text = 1;
    public const int Binary = 2;
    public const int Close = 8;
    public const int Ping = 9;
    public const int Pong = 10;

    private const byte Fin = 0x80;
    private readonly Random _random = new(seed);

    /// <param name="opcode">The opcode.</param>
    /// <param name="payload">The payload, of any length.</param>
    /// <param name="isLast">FIN.</param>
    /// <param name="reserved">The three RSV bits, as a number.</param>
    public byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool isLast = true, int reserved = 0)
    {
        var extended = payload.Length < 126 ? 0 : payload.Length <= ushort.MaxValue ? 2 : 8;
        var frame = new byte[2 + extended + 4 + payload.Length];
        frame[0] = (byte)((isLast ? Fin : 0) | (reserved << 4) | opcode);
        frame[1] = (byte)(0x80 | (extended == 0 ? payload.Length : extended == 2 ? 126 : 127));
        if (extended == 2) BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload.Length);
        if (extended == 8) BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload.Length);
        var key = frame.AsSpan(2 + extended, 4);
        _random.NextBytes(key);
        var masked = frame.AsSpan(2 + extended + 4);
        for (var i = 0; i < payload.Length; i++) masked[i] = (byte)(payload[i] ^ key[i % 4]);
        return frame;
    }

    public byte[] TextOf(string text) => Frame(Text, Encoding.UTF8.GetBytes(text));

    public byte[] CloseWith(int code, string reason = "") => Frame(Close, [(byte)(code >> 8), (byte)code, .. Encoding.UTF8.GetBytes(reason)]);

    /// <summary>A message in fragments of one length.</summary>
    public IEnumerable<byte[]> Fragments(int opcode, byte[] payload, int length)
    {
        for (var at = 0; at < payload.Length; at += length)
        {
            var isLast = at + length >= payload.Length;
            yield return Frame(at == 0 ? opcode : Continuation, payload.AsSpan(at, Math.Min(length, payload.Length - at)), isLast);
        }
    }

    public byte[] Noise(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Text of so many bytes, of characters of one to four.</summary>
    public static byte[] Letters(int length)
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("aβ✓🦋", (length / 10) + 1)));
        return [.. bytes.AsSpan(0, length - (length % 10)), .. Enumerable.Repeat((byte)'z', length % 10)];
    }
}
