using System.Buffers.Binary;
using System.Text;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>One request over HTTP/2 with headers that no client library would send.</summary>
internal static class RawHttp2
{
    private const int HeadersType = 1;
    private const int ResetType = 3;
    private const int SettingsType = 4;
    private const int GoAwayType = 7;

    /// <summary>Sends it as stream 1.</summary>
    /// <returns>Whether there was an answer, rather than a stream or a connection that was refused.</returns>
    public static async Task<bool> AskAsync(RawClient client, params (string Name, string Value)[] headers)
    {
        await client.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        await client.WriteAsync(Frame(SettingsType, 0, 0, []));
        await client.WriteAsync(Frame(HeadersType, 0x5, 1, [.. headers.SelectMany(header => Literal(header.Name, header.Value))]));
        while (true)
        {
            var frame = await client.ReadExactlyAsync(9);
            await client.ReadExactlyAsync((frame[0] << 16) | (frame[1] << 8) | frame[2]);
            if (frame[3] == HeadersType) return true;
            if (frame[3] is ResetType or GoAwayType) return false;
        }
    }

    // RFC 7541 section 6.2.2: a literal without indexing, its name new, nothing of it compressed.
    private static IEnumerable<byte> Literal(string name, string value)
        => [0, (byte)name.Length, .. Encoding.Latin1.GetBytes(name), (byte)value.Length, .. Encoding.Latin1.GetBytes(value)];

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }
}
