namespace StickyWs.Http1;

/// <summary>What is wrong with the framing of a body (RFC 9112 section 7.1).</summary>
internal enum BodyFault
{
    None,

    /// <summary>A chunk's size is no plain hexadecimal number, or too large.</summary>
    ChunkSize,

    /// <summary>An extension is too long, or holds what it must not.</summary>
    ChunkExtension,

    /// <summary>No CRLF ends a chunk's data or its line.</summary>
    ChunkEnd,

    /// <summary>A trailer is malformed, or of a name that is no trailer's.</summary>
    Trailer,

    /// <summary>The trailers are too long, or too many.</summary>
    TrailersTooLong,
}
