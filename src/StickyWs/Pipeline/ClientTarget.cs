using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Backends;

namespace StickyWs.Pipeline;

/// <summary>
/// The target that the client wrote, byte for byte. The path an application sees is decoded and normalised, and encoding it again
/// gives another one: <c>/a%2Fb</c> would arrive as <c>/a%252Fb</c>, and <c>/a/../b</c> as <c>/b</c>.
/// </summary>
internal static class ClientTarget
{
    // Visible ASCII but the fragment mark, which never goes over the wire (RFC 9110 section 7.1) and which servers read differently.
    private static readonly SearchValues<char> Visible = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Where(c => c != '#').Select(c => (char)c)]);

    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Reads the path and query of an origin-form or absolute-form target (RFC 9112 section 3.2).</summary>
    /// <returns><see langword="false"/> for the other forms, <c>*</c> and that of CONNECT, which name no resource of a backend.</returns>
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

    /// <summary>The path and the query, which begins with its question mark where there is one.</summary>
    public static TargetParts Split(string target)
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? new(target, default) : new(target.AsSpan(0, query), target.AsSpan(query));
    }

    /// <summary>
    /// Whether it is a target that may be written into a request line. Kestrel lets control characters through, a bare CR among them, and
    /// HTTP/2 even spaces: a backend could take such a line for another one.
    /// </summary>
    public static bool IsWellFormed(string target) => !target.AsSpan().ContainsAnyExcept(Visible);

    public static Uri At(Backend backend, string target) => new(backend.Origin + target, AsWritten);

    // A server without a wire has no bytes to pass on unchanged.
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
