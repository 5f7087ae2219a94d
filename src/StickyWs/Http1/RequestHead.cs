using System.Text;

namespace StickyWs.Http1;

/// <summary>A handshake, for a WebSocket as a rule, that passed every rule: its bytes as the client sent them, and where the parts are.</summary>
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

    /// <summary>The bytes of the head, its empty line included.</summary>
    public int Length => _bytes.Length;

    /// <summary>The method: <c>GET</c> for a WebSocket.</summary>
    public ReadOnlySpan<byte> Method => RequestLine.Method(_bytes.AsSpan(0, _headersStart));

    /// <summary>Whether it may be sent again when nobody answered (RFC 9110 section 9.2.2).</summary>
    public bool IsRepeatable => SafeMethods.Contain(Method);

    /// <summary>The protocols asked for, a list as in <c>Upgrade</c>; <see langword="null"/> for a WebSocket.</summary>
    public ReadOnlyMemory<byte>? Upgrades { get; init; }

    /// <summary>The request target, byte for byte.</summary>
    public ReadOnlySpan<byte> Target => RequestLine.Target(_bytes.AsSpan(0, _headersStart));

    /// <summary>The value of <c>Host</c>.</summary>
    public string Host { get; }

    /// <summary>The path of the target as it was sent; the decoded path as well when <see cref="IsPlain"/>.</summary>
    public string Path => Encoding.ASCII.GetString(RequestLine.Path(Target));

    /// <summary>The value of <c>Sec-WebSocket-Key</c>; empty when the handshake is none for a WebSocket.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>Whether it is ASCII throughout and its path needs no decoding, so that Kestrel would read it just so.</summary>
    public bool IsPlain { get; }

    /// <summary>The header lines.</summary>
    public HeaderReader ReadHeaders() => new(_bytes.AsSpan(_headersStart));

    /// <summary>Whether a header of this name is for this hop alone: by its nature, or because <c>Connection</c> names it.</summary>
    public bool IsHopByHop(ReadOnlySpan<byte> name)
        => HeaderNames.IsHopByHop(name) || ((_namesHeaders ??= NamedByConnection.HasAny(ReadHeaders())) && NamedByConnection.Contains(ReadHeaders(), name));
}
