using System.Buffers.Binary;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

/// <summary>WebSocket frames as bytes.</summary>
internal static class Frames
{
    private static readonly byte[] Key = [1, 2, 3, 4];

    /// <param name="first">FIN, RSV bits and opcode.</param>
    /// <param name="payload">Its payload.</param>
    public static byte[] OfBackend(byte first, byte[] payload) => [first, .. Length(payload.Length, 0), .. payload];

    /// <inheritdoc cref="OfBackend"/>
    public static byte[] OfClient(byte first, byte[] payload)
        => [first, .. Length(payload.Length, 0x80), .. Key, .. payload.Select((one, i) => (byte)(one ^ Key[i % 4]))];

    /// <summary>A message each way passes as it was sent.</summary>
    public static async Task AssertPassAsync(Wire client, Wire server)
    {
        var (there, back) = (OfClient(0x81, "ping"u8.ToArray()), OfBackend(0x81, "pong"u8.ToArray()));
        await client.WriteAsync(there);
        Assert.Equal(there, await server.ReadExactlyAsync(there.Length));
        await server.WriteAsync(back);
        Assert.Equal(back, await client.ReadExactlyAsync(back.Length));
    }

    private static byte[] Length(int length, int bit)
    {
        if (length < 126) return [(byte)(bit | length)];
        if (length < 65_536) return [(byte)(bit | 126), (byte)(length >> 8), (byte)length];
        var bytes = new byte[9];
        bytes[0] = (byte)(bit | 127);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), length);
        return bytes;
    }
}
