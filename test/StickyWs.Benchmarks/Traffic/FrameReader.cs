using System.Buffers.Binary;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Reads whole frames of less than 64 KiB, from either side (RFC 6455 section 5.2), of bytes that come in pieces. It is for ends that have to know what
/// they are told; echoes do not.
/// </summary>
internal sealed class FrameReader
{
    public const int Close = 8;

    private const int Length16 = 126;
    private byte[] _rest = [];

    /// <summary>Calls for each whole frame, with its opcode and its payload without the mask.</summary>
    public void Read(ReadOnlySpan<byte> bytes, Action<int, byte[]> frame)
    {
        if (_rest.Length > 0) bytes = (byte[])[.. _rest, .. bytes];
        while (TryTake(ref bytes, out var opcode, out var payload)) frame(opcode, payload);
        _rest = bytes.ToArray();
    }

    /// <summary>A server's frame with a payload of at most 125 bytes, or of 126 and more.</summary>
    public static byte[] FromServer(int opcode, byte[] payload) => payload.Length < Length16
        ? [(byte)(0x80 | opcode), (byte)payload.Length, .. payload]
        : [(byte)(0x80 | opcode), Length16, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];

    /// <summary>A client's Close with a code; the mask is zero.</summary>
    public static byte[] CloseFromClient(int code) => [0x80 | Close, 0x82, 0, 0, 0, 0, (byte)(code >> 8), (byte)code];

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, out int opcode, out byte[] payload)
    {
        (opcode, payload) = (0, []);
        if (bytes.Length < 2) return false;
        var (length, at) = (bytes[1] & 0x7F, 2);
        if (length > Length16) throw new IOException("A frame is longer than any that is sent here.");
        if (length == Length16)
        {
            if (bytes.Length < 4) return false;
            (length, at) = (BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 4);
        }

        var isMasked = (bytes[1] & 0x80) != 0;
        var key = isMasked && bytes.Length >= at + 4 ? bytes.Slice(at, 4).ToArray() : new byte[4];
        if (isMasked) at += 4;
        if (bytes.Length < at + length) return false;
        (opcode, payload) = (bytes[0] & 0x0F, bytes.Slice(at, length).ToArray());
        for (var i = 0; isMasked && i < length; i++) payload[i] ^= key[i % 4];
        bytes = bytes[(at + length)..];
        return true;
    }
}
