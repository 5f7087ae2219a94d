using System.Text;

namespace StickyWs.Benchmarks.Micro;

/// <summary>Heads as browsers, API clients and backends send them.</summary>
internal static class Heads
{
    public static byte[] PlainGet { get; } = Encode("""
        GET /api/rooms/42/messages?after=1700000000 HTTP/1.1
        Host: chat.example.com
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
        Accept: application/json
        Accept-Language: en-US,en;q=0.5
        Accept-Encoding: gzip, deflate, br, zstd
        Referer: https://chat.example.com/rooms/42
        Cookie: session=0123456789abcdef0123456789abcdef
        Connection: keep-alive
        """);

    public static byte[] WebSocket { get; } = Encode("""
        GET /chat?room=42 HTTP/1.1
        Host: chat.example.com
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
        Upgrade: websocket
        Connection: keep-alive, Upgrade
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Extensions: permessage-deflate
        Origin: https://chat.example.com
        """);

    public static byte[] Post { get; } = Encode("""
        POST /api/rooms/42/messages HTTP/1.1
        Host: chat.example.com
        Content-Type: application/json
        Content-Length: 16
        """);

    public static byte[] SwitchingProtocols { get; } = Encode("""
        HTTP/1.1 101 Switching Protocols
        Date: Thu, 01 Jan 2026 00:00:00 GMT
        Server: Kestrel
        Connection: Upgrade
        Upgrade: websocket
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """);

    private static byte[] Encode(string head) => Encoding.ASCII.GetBytes(head.ReplaceLineEndings("\r\n") + "\r\n\r\n");
}
