namespace StickyWs.Detection;

/// <summary>
/// What the sniffer saw. Only <see cref="WebSocket"/> is ours, and <see cref="Tls"/> that ends here or is passed through; all the others but
/// <see cref="NeedMore"/> go to Kestrel.
/// </summary>
internal enum Verdict
{
    /// <summary>The bytes so far could still become any of the others.</summary>
    NeedMore,

    /// <summary>A complete, flawless WebSocket handshake (RFC 6455 section 4.2.1) in HTTP/1.1.</summary>
    WebSocket,

    /// <summary>A request without a WebSocket handshake.</summary>
    PlainHttp,

    /// <summary>The HTTP/2 connection preface (RFC 9113 section 3.4).</summary>
    Http2Preface,

    /// <summary>A TLS record that opens a handshake (RFC 8446 section 5.1). Where ClientHellos are read: a whole one, good or not.</summary>
    Tls,

    /// <summary>Something that is not beyond doubt: malformed, too long, or a handshake that breaks a rule. Kestrel decides.</summary>
    Doubtful,
}
