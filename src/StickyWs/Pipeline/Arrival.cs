namespace StickyWs.Pipeline;

/// <summary>
/// A request as it arrived, before the application's middleware. Kept only if the request itself no longer shows it; most requests need none.
/// </summary>
/// <param name="Path">The decoded path.</param>
/// <param name="Query">The query with its question mark, or empty.</param>
/// <param name="HasCodedBody">Whether the body arrived with a <c>Content-Encoding</c>.</param>
internal sealed record Arrival(string Path, string Query, bool HasCodedBody);
