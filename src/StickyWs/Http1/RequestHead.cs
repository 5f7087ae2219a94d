using System.Text;

namespace StickyWs.Http1;

/// <summary>The head of a valid handshake, usually for a WebSocket: its bytes as the client sent them, and where its parts are.</summary>
internal sealed class RequestHead
{
    private readonly byte[] _bytes;
    private readonly int _headersStart;
    private bool? _namesHeaders;

    public RequestHead(byte[] bytes, int headersStart, ReadOnlySpan<byte> host, ReadOnlySpan<byte> key, bool isPlain)
    {
        _bytes = bytes;
        _headersStart = headersStart;
        Host = Encoding.ASCII.GetString(host);
        Key = key.ToArray();
        IsPlain = isPlain;
    }

    /// <summary>The length of the head in bytes, including its empty line.</summary>
    public int Length => _bytes.Length;

    /// <summary>The method: <c>GET</c> for a WebSocket.</summary>
    public ReadOnlySpan<byte> Method => RequestLine.Method(_bytes.AsSpan(0, _headersStart));

    /// <summary>Whether it may be sent again when nobody answered (RFC 9110 section 9.2.2).</summary>
    public bool IsRepeatable => SafeMethods.Contain(Method);

    /// <summary>The requested protocols, a list as in <c>Upgrade</c>; <see langword="null"/> for a WebSocket.</summary>
    public ReadOnlyMemory<byte>? Upgrades { get; init; }

    /// <summary>Whether it is for a WebSocket.</summary>
    public bool IsWebSocket => Upgrades is null;

    /// <summary>The request target, byte for byte.</summary>
    public ReadOnlySpan<byte> Target => RequestLine.Target(_bytes.AsSpan(0, _headersStart));

    /// <summary>The value of <c>Host</c>.</summary>
    public string Host { get; }

    /// <summary>The path of the target as sent; if <see cref="IsPlain"/>, it is also the decoded path.</summary>
    public string Path => Encoding.ASCII.GetString(RequestLine.Path(Target));

    /// <summary>The value of <c>Sec-WebSocket-Key</c>; empty if the handshake is not for a WebSocket.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>Whether it is all ASCII and its path needs no decoding, so that Kestrel would read it the same way.</summary>
    public bool IsPlain { get; }

    /// <summary>The header lines.</summary>
    public HeaderReader ReadHeaders() => new(_bytes.AsSpan(_headersStart));

    /// <summary>Whether a header of this name ends at this hop: by its nature, or because <c>Connection</c> names it.</summary>
    public bool IsHopByHop(ReadOnlySpan<byte> name)
        => HeaderNames.IsHopByHop(name) || IsNamed(name);

    /// <summary>
    /// Whether <c>Connection</c> names a header that is not bound to the connection anyway. Such a header is as if it were not there, as in the pipeline.
    /// </summary>
    public bool IsDisowned(ReadOnlySpan<byte> name) => !HeaderNames.IsOfConnection(name) && IsNamed(name);

    private bool IsNamed(ReadOnlySpan<byte> name)
        => (_namesHeaders ??= NamedByConnection.HasAny(ReadHeaders())) && NamedByConnection.Contains(ReadHeaders(), name);
}
