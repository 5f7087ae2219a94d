namespace StickyWs.Http1;

/// <summary>Where the parts of a request's head are, and what it asks for. Offsets count from the start of the head.</summary>
internal struct DirectRequest
{
    /// <summary>The length of the whole head with its empty line.</summary>
    public int HeadLength;

    /// <summary>The length of the request line with its line end: the header lines start here.</summary>
    public int LineLength;

    /// <summary>The method starts the head.</summary>
    public int MethodLength;

    /// <summary>The target: path, and query with its question mark. It starts behind the method and a space.</summary>
    public int TargetLength;

    public int PathLength;

    public int HostStart;

    public int HostLength;

    /// <summary>The header lines.</summary>
    public int HeaderCount;

    /// <summary><see cref="BodyFraming.None"/>, <see cref="BodyFraming.Length"/> or <see cref="BodyFraming.Chunked"/>.</summary>
    public BodyFraming Framing;

    /// <summary>The length of the body, in bytes, by <see cref="BodyFraming.Length"/>; it may be 0.</summary>
    public long ContentLength;

    /// <summary>Whether the client keeps its connection open for another request.</summary>
    public bool KeepAlive;

    /// <summary>Whether the client waits for a 100 before it sends the body.</summary>
    public bool ExpectsContinue;

    /// <summary>Whether it is HEAD, whose answer has no body.</summary>
    public bool IsHead;

    /// <summary>Whether the method changes nothing (RFC 9110 section 9.2.1). Without a body, such a request may be sent again.</summary>
    public bool IsSafe;

    /// <summary>Whether it asks for an upgrade to a WebSocket. Whether it is a flawless handshake is for the handshake parser to say.</summary>
    public bool IsUpgrade;

    /// <summary>Whether <c>Connection</c> names a header that is not bound to the connection anyway. Such a header is as if it were not there.</summary>
    public bool NamesHeaders;

    /// <summary>Whether a body follows.</summary>
    public readonly bool HasBody => Framing == BodyFraming.Chunked || ContentLength > 0;

    public readonly int TargetStart => MethodLength + 1;

    public readonly ReadOnlySpan<byte> Method(ReadOnlySpan<byte> head) => head[..MethodLength];

    /// <summary>Path and query.</summary>
    public readonly ReadOnlySpan<byte> Target(ReadOnlySpan<byte> head) => head.Slice(TargetStart, TargetLength);

    /// <summary>The path, which needs no decoding.</summary>
    public readonly ReadOnlySpan<byte> Path(ReadOnlySpan<byte> head) => head.Slice(TargetStart, PathLength);

    /// <summary>The query with its question mark, or empty.</summary>
    public readonly ReadOnlySpan<byte> Query(ReadOnlySpan<byte> head) => Target(head)[PathLength..];

    public readonly ReadOnlySpan<byte> Host(ReadOnlySpan<byte> head) => head.Slice(HostStart, HostLength);

    /// <summary>The header lines, without the empty one.</summary>
    public readonly HeaderLines Headers(ReadOnlySpan<byte> head) => new(head[LineLength..(HeadLength - 2)]);
}
