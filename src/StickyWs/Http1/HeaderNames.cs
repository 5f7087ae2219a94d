using System.Text;

namespace StickyWs.Http1;

/// <summary>The header names that matter to the handshake, and which headers are hop-by-hop.</summary>
internal static class HeaderNames
{
    public static ReadOnlySpan<byte> Connection => "Connection"u8;

    public static ReadOnlySpan<byte> Upgrade => "Upgrade"u8;

    public static ReadOnlySpan<byte> Host => "Host"u8;

    public static ReadOnlySpan<byte> ContentLength => "Content-Length"u8;

    public static ReadOnlySpan<byte> TransferEncoding => "Transfer-Encoding"u8;

    public static ReadOnlySpan<byte> Expect => "Expect"u8;

    public static ReadOnlySpan<byte> Key => "Sec-WebSocket-Key"u8;

    public static ReadOnlySpan<byte> Version => "Sec-WebSocket-Version"u8;

    public static ReadOnlySpan<byte> Accept => "Sec-WebSocket-Accept"u8;

    public static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(name, other);

    /// <summary>Whether a header is hop-by-hop (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2, and those that proxies consume).</summary>
    public static bool IsHopByHop(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Is(name, "TE"u8),
        7 => Is(name, Upgrade) || Is(name, "Trailer"u8),
        10 => Is(name, Connection) || Is(name, "Keep-Alive"u8),
        14 => Is(name, "HTTP2-Settings"u8),
        16 => Is(name, "Proxy-Connection"u8),
        17 => Is(name, TransferEncoding),
        18 => Is(name, "Proxy-Authenticate"u8),
        19 => Is(name, "Proxy-Authorization"u8),
        25 => Is(name, "Proxy-Authentication-Info"u8),
        _ => false,
    };

    /// <summary>Whether the handshake needs it; <c>Connection</c> must not name it.</summary>
    public static bool IsEssential(ReadOnlySpan<byte> name)
        => Is(name, Host) || (name.Length > 14 && Is(name[..14], "Sec-WebSocket-"u8));
}
