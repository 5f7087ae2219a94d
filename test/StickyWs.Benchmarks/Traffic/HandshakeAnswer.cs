using System.Text;
using StickyWs.Http1;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>The backend's part in a handshake.</summary>
internal static class HandshakeAnswer
{
    private static readonly byte[] Template =
        [.. "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "u8, .. new byte[28], .. "\r\n\r\n"u8];

    private static ReadOnlySpan<byte> Field => "sec-websocket-key:"u8;

    /// <summary>The key in a head; empty when it is no handshake. Balancers write the field's name as they like.</summary>
    public static ReadOnlySpan<byte> Key(ReadOnlySpan<byte> head)
    {
        while (head.IndexOf((byte)'\n') is >= 0 and var end)
        {
            var line = head[..end];
            if (line.Length > Field.Length && Ascii.EqualsIgnoreCase(line[..Field.Length], Field)) return line[Field.Length..].Trim(" \r"u8);
            head = head[(end + 1)..];
        }

        return [];
    }

    /// <summary>The answer; it is overwritten by the next.</summary>
    public static ReadOnlySpan<byte> To(ReadOnlySpan<byte> key)
    {
        WebSocketKey.WriteAccept(key, Template.AsSpan(Template.Length - 32, 28));
        return Template;
    }
}
