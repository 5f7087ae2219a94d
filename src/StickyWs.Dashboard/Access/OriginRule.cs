using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Access;

/// <summary>
/// Pages of other origins neither read nor steer, whatever CORS policy the application has as a whole; one that is set on the endpoints themselves is meant.
/// Browsers say where a request comes from (Fetch Metadata, Origin), and no page can change that. What says nothing is no browser.
/// </summary>
internal static class OriginRule
{
    /// <summary>What a POST brings: a form cannot send it, and a script of another origin only after a preflight that nobody answers.</summary>
    public const string Header = "X-StickyWs";

    /// <param name="context">The request.</param>
    /// <param name="isPage">Whether it is for the page, which links may lead to from anywhere.</param>
    public static Problem? Check(HttpContext context, bool isPage)
    {
        if (IsOpened(context) || IsOwn(context.Request) || (isPage && IsLink(context.Request))) return null;
        return Problem.Forbidden("other-origin", "Pages of other origins are not answered.");
    }

    /// <summary>Whether the application has named pages of other origins for the endpoint.</summary>
    public static bool IsOpened(HttpContext context)
        => context.GetEndpoint()?.Metadata.GetMetadata<ICorsMetadata>() is not (null or IDisableCorsAttribute);

    public static Problem? CheckHeader(HttpRequest request)
        => request.Headers.TryGetValue(Header, out var value) && !string.IsNullOrWhiteSpace(value) ? null : Problem.Forbidden("header-missing",
            $"A request that changes something needs the header {Header}, which pages of other sites cannot send: add '{Header}: 1'.");

    private static bool IsOwn(HttpRequest request)
    {
        if (request.Headers.TryGetValue("Sec-Fetch-Site", out var site)) return site is ["same-origin" or "none"];
        return !request.Headers.TryGetValue("Origin", out var origin) || (origin is [{ } sent] && IsHostOf(request, sent));
    }

    // One that somebody follows. A frame navigates too, and would hold whatever it is answered with.
    private static bool IsLink(HttpRequest request)
        => HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] is ["navigate"] && request.Headers["Sec-Fetch-Dest"] is ["document"];

    private static bool IsHostOf(HttpRequest request, string origin)
        => Uri.TryCreate(origin, UriKind.Absolute, out var from)
            && Uri.TryCreate($"{from.Scheme}://{request.Host.Value}", UriKind.Absolute, out var own)
            && from.Port == own.Port
            && from.Host.Equals(own.Host, StringComparison.OrdinalIgnoreCase);
}
