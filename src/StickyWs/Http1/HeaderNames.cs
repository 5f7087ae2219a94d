using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace StickyWs.Http1;

/// <summary>The header names that the balancer cares about, and which of them never pass from hop to hop. Names are bytes or characters.</summary>
internal static class HeaderNames
{
    public static ReadOnlySpan<byte> Connection => "Connection"u8;

    public static ReadOnlySpan<byte> Upgrade => "Upgrade"u8;

    public static ReadOnlySpan<byte> Host => "Host"u8;

    public static ReadOnlySpan<byte> ContentLength => "Content-Length"u8;

    public static ReadOnlySpan<byte> TransferEncoding => "Transfer-Encoding"u8;

    public static ReadOnlySpan<byte> KeepAlive => "Keep-Alive"u8;

    public static ReadOnlySpan<byte> Trailer => "Trailer"u8;

    public static ReadOnlySpan<byte> Expect => "Expect"u8;

    public static ReadOnlySpan<byte> Key => "Sec-WebSocket-Key"u8;

    public static ReadOnlySpan<byte> Version => "Sec-WebSocket-Version"u8;

    public static ReadOnlySpan<byte> Accept => "Sec-WebSocket-Accept"u8;

    public static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(name, other);

    /// <typeparam name="T"><see cref="byte"/> or <see cref="char"/>.</typeparam>
    public static bool Is<T>(ReadOnlySpan<T> name, ReadOnlySpan<char> other)
        where T : unmanaged, IBinaryInteger<T>
        => typeof(T) == typeof(byte)
            ? Ascii.EqualsIgnoreCase(MemoryMarshal.Cast<T, byte>(name), other)
            : Ascii.EqualsIgnoreCase(MemoryMarshal.Cast<T, char>(name), other);

    /// <summary>
    /// Whether a header belongs to one connection only (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2), is for proxies, or speaks of the sender's own
    /// origin. YARP has the same list for plain requests, but for <c>Trailer</c>, since it passes trailers on; a test compares the two.
    /// </summary>
    public static bool IsHopByHop<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => IsOfConnection(name) || name.Length switch
        {
            4 => Is(name, "ALPN"),
            7 => Is(name, "Alt-Svc"),
            14 => Is(name, "Proxy-Features"),
            15 => Is(name, "Security-Scheme"),
            17 => Is(name, "Proxy-Instruction"),
            18 => Is(name, "Proxy-Authenticate"),
            19 => Is(name, "Proxy-Authorization"),
            25 => Is(name, "Proxy-Authentication-Info") || Is(name, "Upgrade-Insecure-Requests"),
            _ => false,
        };

    /// <summary>Whether a header is about the connection by its nature: no <c>Connection</c> needs to name it.</summary>
    public static bool IsOfConnection<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => name.Length switch
        {
            2 => Is(name, "TE"),
            5 => Is(name, "Close"),
            7 => Is(name, "Upgrade") || Is(name, "Trailer"),
            10 => Is(name, "Connection") || Is(name, "Keep-Alive"),
            14 => Is(name, "HTTP2-Settings"),
            16 => Is(name, "Proxy-Connection"),
            17 => Is(name, "Transfer-Encoding"),
            _ => false,
        };

    /// <summary>Whether the handshake cannot do without it; <c>Connection</c> must not name it.</summary>
    public static bool IsEssential<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => Is(name, "Host") || (name.Length > 14 && Is(name[..14], "Sec-WebSocket-"));

    /// <summary>
    /// Whether a header goes no further when <c>Connection</c> names it. What frames and routes a message cannot be disowned that way, nor can the word of
    /// proxies on the client, which is kept or replaced as a whole.
    /// </summary>
    public static bool CanBeDisowned<T>(ReadOnlySpan<T> name)
        where T : unmanaged, IBinaryInteger<T>
        => !Is(name, "Host") && !Is(name, "Content-Length") && !Is(name, "Transfer-Encoding") && !ForwardedNames.IsOne(name);
}
