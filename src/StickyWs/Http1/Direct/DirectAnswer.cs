namespace StickyWs.Http1;

/// <summary>Where the parts of a backend's answer are, and how it is framed. Offsets count from the start of the head.</summary>
internal struct DirectAnswer
{
    /// <summary>The length of the whole head with its empty line.</summary>
    public int HeadLength;

    /// <summary>The length of the status line with its line end: the header lines start here.</summary>
    public int LineLength;

    /// <summary>The status, 100 to 599 without 101.</summary>
    public int Status;

    /// <summary>How the body of a final answer is delimited on the backend's connection.</summary>
    public BodyFraming Framing;

    /// <summary>The length of the body, in bytes, by <see cref="BodyFraming.Length"/>; it may be 0.</summary>
    public long ContentLength;

    /// <summary>Whether the backend keeps its connection open for another request, once the body has ended.</summary>
    public bool KeepAlive;

    /// <summary>
    /// The seconds for which the backend keeps it open, by <c>Keep-Alive: timeout</c>; -1 if it does not say. It is a hint.
    /// </summary>
    public int KeepAliveSeconds;

    /// <summary>
    /// Whether the client may not get the body: a 205 has none (RFC 9110 section 15.3.6), but its sender may have sent one. It is counted through and dropped.
    /// </summary>
    public bool DropsBody;

    /// <summary>Whether the head can go to the client byte for byte: HTTP/1.1, no header that ends at this hop, and the body framed in plain words.</summary>
    public bool PassesAsIs;

    /// <summary>Whether <c>Connection</c> names a header that is not bound to the connection anyway.</summary>
    public bool NamesHeaders;

    public readonly ReadOnlySpan<byte> Reason(ReadOnlySpan<byte> head) => StatusLine.Reason(head[..(LineLength - 2)]);

    /// <summary>The header lines, without the empty one.</summary>
    public readonly HeaderLines Headers(ReadOnlySpan<byte> head) => new(head[LineLength..(HeadLength - 2)]);
}
