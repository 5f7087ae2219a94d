using Microsoft.AspNetCore.Http;

namespace StickyWs.Pipeline;

/// <summary>
/// The target that is sent to the backend, and its decoded path, which selects the pool: one path for both. It is the client's own target, byte for
/// byte, unless middleware changed the path or the query. A path base counts if it was split off the client's path; one that was added in front
/// (<c>X-Forwarded-Prefix</c>) was never part of this request.
/// </summary>
internal readonly record struct RequestTarget(string Value, string Path)
{
    public static RequestTarget Of(HttpContext context)
    {
        var request = context.Request;
        var path = (request.PathBase + request.Path).Value ?? "";
        if (!ClientTarget.TryRead(context, out var written)) return new(written, path);
        var (writtenPath, writtenQuery) = ClientTarget.Split(written);
        if (writtenPath.SequenceEqual(path) && writtenQuery.SequenceEqual(request.QueryString.Value)) return new(written, path);
        var arrival = context.Features.Get<Arrival>();
        var arrived = arrival is null ? writtenPath : arrival.Path;
        var hasItsQuery = request.QueryString.Value.AsSpan().SequenceEqual(arrival is null ? writtenQuery : arrival.Query);
        var added = path.Length - arrived.Length;
        if (added >= 0 && added <= (request.PathBase.Value?.Length ?? 0) && path.AsSpan(added).SequenceEqual(arrived))
        {
            path = path[added..];
            return new(hasItsQuery ? written : string.Concat(writtenPath, request.QueryString.ToUriComponent()), path);
        }

        path = string.Concat(TakenFrom(arrived, request.PathBase.Value), request.Path.Value);
        if (path.Length == 0) path = "/";
        var query = hasItsQuery ? writtenQuery : request.QueryString.ToUriComponent();
        return new(string.Concat(new PathString(path).ToUriComponent(), query), path);
    }

    // The longest suffix of the path base, in whole segments, that the client's path begins with.
    private static ReadOnlySpan<char> TakenFrom(ReadOnlySpan<char> arrived, ReadOnlySpan<char> pathBase)
    {
        while (!pathBase.IsEmpty
            && !(arrived.StartsWith(pathBase, StringComparison.OrdinalIgnoreCase) && arrived[pathBase.Length..] is [] or ['/', ..]))
        {
            var next = pathBase[1..].IndexOf('/');
            pathBase = next < 0 ? default : pathBase[(next + 1)..];
        }

        return pathBase;
    }
}
