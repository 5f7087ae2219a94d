using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace StickyWs.Dashboard.Reading;

/// <summary>
/// Names in a path, exactly as they were meant. A server decodes a path once, except for <c>%2F</c>: then <c>%2F</c> may be a slash, or what was <c>%252F</c>.
/// The target as it was sent tells the two apart.
/// </summary>
internal static partial class RouteNames
{
    /// <param name="context">The request.</param>
    /// <param name="parameter">The route's parameter.</param>
    /// <param name="fromEnd">The segment that it is, counted from the last one, which is 0.</param>
    public static string Exact(HttpContext context, string parameter, int fromEnd)
    {
        var decoded = context.GetRouteValue(parameter) as string ?? "";
        var sent = Segment(context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "", fromEnd);

        // Middleware may have rewritten the path; then the target says nothing about it.
        return sent is not null && AsServer(sent) == decoded ? Uri.UnescapeDataString(sent) : Slash().Replace(decoded, "/");
    }

    private static string? Segment(string target, int fromEnd)
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var segments = (query < 0 ? target : target[..query]).Split('/');
        return fromEnd < segments.Length ? segments[^(fromEnd + 1)] : null;
    }

    private static string AsServer(string sent)
        => string.Concat(SlashOrElse().Matches(sent).Select(part => Slash().IsMatch(part.Value) ? part.Value : Uri.UnescapeDataString(part.Value)));

    [GeneratedRegex("%2F", RegexOptions.IgnoreCase)]
    private static partial Regex Slash();

    [GeneratedRegex("%2F|(?:(?!%2F).)+", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex SlashOrElse();
}
