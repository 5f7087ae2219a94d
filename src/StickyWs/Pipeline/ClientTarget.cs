using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Backends;

namespace StickyWs.Pipeline;

/// <summary>
/// The request-target as the client sent it, byte for byte. The application's path is decoded and normalized, and encoding it again gives a different
/// one: <c>/a%2Fb</c> would become <c>/a%252Fb</c>, and <c>/a/../b</c> would become <c>/b</c>.
/// </summary>
internal static class ClientTarget
{
    // Visible ASCII except '#': a fragment is never sent (RFC 9110 section 7.1), and servers read it differently.
    private static readonly SearchValues<char> Visible =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Where(c => c != '#').Select(c => (char)c)]);

    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Reads the path and query of a target in origin-form or absolute-form (RFC 9112 section 3.2).</summary>
    /// <returns><see langword="false"/> for the other forms (<c>*</c>, and that of CONNECT), which name no resource of a backend.</returns>
    public static bool TryRead(HttpContext context, out string target)
    {
        target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target.Length == 0) target = InMemory(context.Request);
        if (target.StartsWith('/')) return true;
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0) return false;
        var path = target.AsSpan(authority + 3).IndexOfAny('/', '?', '#');
        target = path < 0 ? "/" : target[(authority + 3 + path)..];
        if (target[0] == '?') target = "/" + target;
        return true;
    }

    /// <summary>The path, and the query with its question mark.</summary>
    public static TargetParts Split(string target)
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? new(target, default) : new(target.AsSpan(0, query), target.AsSpan(query));
    }

    /// <summary>
    /// Whether the target may be written into a request line. Kestrel lets control characters through, even a bare CR, and spaces in HTTP/2: a
    /// backend could read a different request line.
    /// </summary>
    public static bool IsWellFormed(string target) => !target.AsSpan().ContainsAnyExcept(Visible);

    public static Uri At(Backend backend, string target) => new(backend.Origin + target, AsWritten);

    // An in-memory server has no original bytes to pass on.
    private static string InMemory(HttpRequest request)
        => (request.PathBase + request.Path).ToUriComponent() + request.QueryString.ToUriComponent();

    internal readonly ref struct TargetParts(ReadOnlySpan<char> path, ReadOnlySpan<char> query)
    {
        private readonly ReadOnlySpan<char> _path = path;
        private readonly ReadOnlySpan<char> _query = query;

        public void Deconstruct(out ReadOnlySpan<char> path, out ReadOnlySpan<char> query)
        {
            path = _path;
            query = _query;
        }
    }
}
