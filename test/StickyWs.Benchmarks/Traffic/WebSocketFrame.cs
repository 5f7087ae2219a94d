using System.Buffers.Binary;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// The one kind of frame that is sent here: binary, whole, 126 bytes of payload or more (RFC 6455 section 5.2). The balancers of today do not look,
/// but what they relay is what they would meet.
/// </summary>
internal static class WebSocketFrame
{
    private const int Mask = 4;

    /// <summary>A frame as clients send it; the mask is zero, so that masked and plain payload are alike.</summary>
    public static byte[] FromClient(int payload) => Create(payload, Mask, 0x80);

    /// <summary>A frame as servers send it.</summary>
    public static byte[] FromServer(int payload) => Create(payload, 0, 0);

    private static byte[] Create(int payload, int mask, byte maskBit)
    {
        var isShort = payload <= ushort.MaxValue;
        var header = (isShort ? 4 : 10) + mask;
        var frame = new byte[header + payload];
        frame[0] = 0x82;
        frame[1] = (byte)((isShort ? 126 : 127) | maskBit);
        if (isShort) BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), (ushort)payload);
        else BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(2), (ulong)payload);
        frame.AsSpan(header).Fill((byte)'x');
        return frame;
    }
}
