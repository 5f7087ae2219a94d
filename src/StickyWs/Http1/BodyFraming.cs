namespace StickyWs.Http1;

/// <summary>How the body of an HTTP/1 response is delimited (RFC 9112 section 6.3).</summary>
internal enum BodyFraming
{
    None,
    Length,
    Chunked,
    UntilClose,
}
