using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StickyWs.TestKit;

/// <summary>Heads of HTTP/1.1 as text: making them, and reading what is in them. Independent of the parser under test.</summary>
public static class HttpHead
{
    /// <summary>The key of the sample handshake (RFC 6455 section 1.3).</summary>
    public const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    /// <summary>A flawless handshake.</summary>
    /// <param name="target">The request target.</param>
    /// <param name="headers">More headers, each with its line end.</param>
    /// <param name="key">The value of <c>Sec-WebSocket-Key</c>.</param>
    public static string Handshake(string target = "/", string headers = "", string key = Key)
        => $"GET {target} HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: {key}\r\n{headers}\r\n";

    /// <summary>The 101 that answers a handshake.</summary>
    /// <param name="request">The head of the handshake.</param>
    /// <param name="headers">More headers, each with its line end.</param>
    public static string SwitchingProtocols(string request, string headers = "")
        => $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {Accept(request)}\r\n{headers}\r\n";

    /// <summary>The one right <c>Sec-WebSocket-Accept</c> (RFC 6455 section 4.2.2).</summary>
    public static string Accept(string request)
    {
        var key = Value(request, "Sec-WebSocket-Key") ?? throw new ArgumentException("No key in " + request, nameof(request));
#pragma warning disable CA5350 // RFC 6455 prescribes SHA-1.
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }

    public static int Status(string head) => int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);

    /// <summary>The seconds of <c>Retry-After</c>; -1 if there is none.</summary>
    public static int RetryAfter(string head) => Value(head, "Retry-After") is { } seconds ? int.Parse(seconds, CultureInfo.InvariantCulture) : -1;

    public static string FirstLine(string head) => head[..head.IndexOf("\r\n", StringComparison.Ordinal)];

    /// <summary>All values of a header, in order.</summary>
    public static IReadOnlyList<string> Values(string head, string name)
        => [.. head.Split("\r\n").Skip(1).Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 1)..].Trim())];

    /// <summary>The first value of a header, or <see langword="null"/>.</summary>
    public static string? Value(string head, string name) => Values(head, name) is [var first, ..] ? first : null;
}
