namespace StickyWs.Http1;

/// <summary>
/// Names that no trailer may have (RFC 9110 section 6.5.1): they frame or route a message, belong to a connection, authenticate, describe the content, or
/// are the balancer's to write. A recipient that merges trailers into the headers would take them for true.
/// </summary>
internal static class TrailerNames
{
    /// <summary>The bytes of a name that decide.</summary>
    public const int Decisive = 32;

    /// <param name="name">The name, or its first <see cref="Decisive"/> bytes.</param>
    public static bool IsForbidden(ReadOnlySpan<byte> name)
        => HeaderNames.IsHopByHop(name)
            || OwnHeaders.IsOne(name)
            || ForwardedNames.IsOne(name)
            || HeaderNames.IsEssential(name)
            || name.Length switch
            {
                6 => HeaderNames.Is(name, HeaderNames.Expect) || HeaderNames.Is(name, "Cookie"u8),
                10 => HeaderNames.Is(name, "Set-Cookie"u8),
                12 => HeaderNames.Is(name, "Content-Type"u8),
                13 => HeaderNames.Is(name, "Authorization"u8) || HeaderNames.Is(name, "Content-Range"u8),
                14 => HeaderNames.Is(name, HeaderNames.ContentLength),
                16 => HeaderNames.Is(name, "Content-Encoding"u8),
                _ => false,
            };
}
