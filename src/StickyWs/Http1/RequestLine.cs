using System.Buffers;

namespace StickyWs.Http1;

/// <summary>
/// The request line of a handshake: a method (<c>GET</c> for a WebSocket), an origin-form target (RFC 9112 section 3.2.1), <c>HTTP/1.1</c>, single
/// spaces, CRLF.
/// </summary>
internal static class RequestLine
{
    // Visible ASCII except '#': a fragment is never sent (RFC 9110 section 7.1).
    private static readonly SearchValues<byte> TargetBytes =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Where(c => c != '#').Select(c => (byte)c)]);

    private static ReadOnlySpan<byte> Version => " HTTP/1.1\r\n"u8;

    public static bool IsGetHttp11(ReadOnlySpan<byte> line) => IsHttp11(line, "GET "u8);

    /// <summary>With a method that is in capitals, as all registered ones are: to some, <c>get</c> is GET.</summary>
    /// <param name="line">The line with its line end.</param>
    public static bool IsHttp11OfAnyMethod(ReadOnlySpan<byte> line)
    {
        var method = line[..(line.IndexOf((byte)' ') + 1)];
        return method.Length > 1
            && HeaderReader.IsToken(method[..^1])
            && !method.ContainsAnyInRange((byte)'a', (byte)'z')
            && IsHttp11(line, method);
    }

    /// <param name="line">The line with its line end.</param>
    /// <param name="method">The method and the space after it.</param>
    public static bool IsHttp11(ReadOnlySpan<byte> line, ReadOnlySpan<byte> method)
        => line.Length > method.Length + Version.Length
            && line.StartsWith(method)
            && line.EndsWith(Version)
            && Target(line) is [(byte)'/', ..] target
            && !target.ContainsAnyExcept(TargetBytes);

    /// <summary>The method of a line that passed <see cref="IsHttp11"/>.</summary>
    public static ReadOnlySpan<byte> Method(ReadOnlySpan<byte> line) => line[..line.IndexOf((byte)' ')];

    /// <summary>The target of a line that passed <see cref="IsHttp11"/>.</summary>
    public static ReadOnlySpan<byte> Target(ReadOnlySpan<byte> line) => line[(line.IndexOf((byte)' ') + 1)..^Version.Length];

    /// <summary>
    /// Whether Kestrel would use the path unchanged: nothing to decode, no dot segments to resolve (RFC 3986 section 5.2.4). Other paths are left to
    /// Kestrel, so that a pool is never matched on a path that the application would read differently.
    /// </summary>
    public static bool HasPlainPath(ReadOnlySpan<byte> target)
    {
        var path = Path(target);
        return !path.Contains((byte)'%') && path.IndexOf("/."u8) < 0 && !path.Contains((byte)'\\');
    }

    public static ReadOnlySpan<byte> Path(ReadOnlySpan<byte> target)
    {
        var query = target.IndexOf((byte)'?');
        return query < 0 ? target : target[..query];
    }
}
