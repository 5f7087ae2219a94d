using System.Text;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>What the load and the backend say to each other, apart from answers to a handshake.</summary>
internal static class Messages
{
    public const int Payload = 128;
    public const int BulkPayload = 16 * 1024;
    public const int BulkDepth = 4;
    public const int TlsBulkPayload = 64 * 1024;

    /// <summary>The most that is pushed into one tunnel.</summary>
    public const long PushLimit = 200_000_000;

    public static byte[] Small { get; } = WebSocketFrame.FromClient(Payload);

    public static byte[] Pushed { get; } = WebSocketFrame.FromServer(BulkPayload);

    public static byte[] Handshake { get; } = Upgrade("/chat");

    public static byte[] PushHandshake { get; } = Upgrade("/push");

    public static byte[] TalkHandshake { get; } = Upgrade("/talk");

    public static byte[] SinkHandshake { get; } = Upgrade("/sink");

    private static byte[] Upgrade(string path)
        => Head($"GET {path} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13");

    public static byte[] Head(string line, params string[] fields) => Encode([line, "Host: chat.example.com", .. fields]);

    public static byte[] Encode(params string[] lines) => Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n");
}
