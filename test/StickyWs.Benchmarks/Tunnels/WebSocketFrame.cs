using System.Buffers.Binary;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>The one kind of frame that is sent here: binary, whole, 126 to 65,535 bytes of payload (RFC 6455 section 5.2).</summary>
internal static class WebSocketFrame
{
    public const int PayloadLength = 128;

    private const int ServerHeader = 4;
    private const int Mask = 4;

    /// <summary>A frame as clients send it; the mask is zero, so that masked and plain payload are alike.</summary>
    public static byte[] FromClient() => Create(ServerHeader + Mask, 0x80);

    /// <summary>A frame as servers send it.</summary>
    public static byte[] FromServer() => Create(ServerHeader, 0);

    private static byte[] Create(int header, byte maskBit)
    {
        var frame = new byte[header + PayloadLength];
        frame[0] = 0x82;
        frame[1] = (byte)(126 | maskBit);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), PayloadLength);
        frame.AsSpan(header).Fill((byte)'x');
        return frame;
    }
}
