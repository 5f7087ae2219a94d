namespace StickyWs.Pipeline;

/// <summary>
/// How a request came, before the application's middleware saw it. Kept only where the request itself does not tell any more: plain requests need none.
/// </summary>
/// <param name="Path">The decoded path.</param>
/// <param name="Query">The query with its question mark, or nothing.</param>
/// <param name="HasCodedBody">Whether the body came with a <c>Content-Encoding</c>.</param>
internal sealed record Arrival(string Path, string Query, bool HasCodedBody);
