using Microsoft.AspNetCore.Http;

namespace StickyWs.Pipeline;

/// <summary>
/// The target that goes to the backend, and the decoded path of it, by which the pool is chosen: one path for both. It is what the client wrote, byte
/// for byte, as long as no middleware gave the request another path or query. A path base counts where it was taken out of what the client wrote; one
/// that was put in front (<c>X-Forwarded-Prefix</c>) was never in this request.
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
        return new(string.Concat(new PathString(path).ToUriComponent(), hasItsQuery ? writtenQuery : request.QueryString.ToUriComponent()), path);
    }

    // The longest end of the path base, in whole segments, with which the client's path begins.
    private static ReadOnlySpan<char> TakenFrom(ReadOnlySpan<char> arrived, ReadOnlySpan<char> pathBase)
    {
        while (!pathBase.IsEmpty && !(arrived.StartsWith(pathBase, StringComparison.OrdinalIgnoreCase) && arrived[pathBase.Length..] is [] or ['/', ..]))
        {
            var next = pathBase[1..].IndexOf('/');
            pathBase = next < 0 ? default : pathBase[(next + 1)..];
        }

        return pathBase;
    }
}
