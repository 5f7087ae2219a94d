using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace StickyWs.Dashboard.Page;

/// <summary>The page and its files. Nothing of it comes from elsewhere, and no page of another site frames it.</summary>
internal static class PageEndpoints
{
    // Trusted types make a browser refuse each way in which text would become markup, also one that a later change brings by mistake.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static PageFile Index { get; } = PageFile.All.Single(file => file.Name == PageFile.Index);

    /// <summary>The endpoints, as paths below the prefix.</summary>
    public static IEnumerable<(string Path, RequestDelegate Answer)> All { get; } = With(banner: null);

    /// <summary>The same, with a module of the application's own in the page.</summary>
    public static IEnumerable<(string Path, RequestDelegate Answer)> With(string? banner)
    {
        var index = banner is null ? Index : Index.WithBanner(banner);
        return
        [
            ("", context => PageAsync(context, banner is not null && BaseOf(context.Request) is { } root ? Index.WithBanner(root + banner) : index)),
            .. PageFile.All.Where(file => file.Name != PageFile.Index)
                .Select(file => ("page/" + file.Name, (RequestDelegate)(context => WriteAsync(context, file)))),
        ];
    }

    // Where the application is: it may be below a path. That may come from a proxy, and must not name another host.
    private static string? BaseOf(HttpRequest request)
        => request.PathBase.ToUriComponent() is { Length: > 0 } root && !root.StartsWith("//", StringComparison.Ordinal) ? root : null;

    // The page's references are relative, so that it needs not know where it is: they hold from a path that ends with a slash.
    private static Task PageAsync(HttpContext context, PageFile index)
    {
        var path = context.Request.Path.Value ?? "";
        if (path.EndsWith('/')) return WriteAsync(context, index);
        var last = Uri.EscapeDataString(path[(path.LastIndexOf('/') + 1)..]);
        context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        context.Response.Headers.Location = $"./{last}/{context.Request.QueryString.Value}";
        return Task.CompletedTask;
    }

    private static async Task WriteAsync(HttpContext context, PageFile file)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache"; // Kept, and asked for each time: a new version is seen at once.
        headers.ETag = file.Tag;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (IsKnown(context.Request, file))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = file.ContentType;
        context.Response.ContentLength = file.Bytes.Length;
        await context.Response.Body.WriteAsync(file.Bytes, context.RequestAborted).ConfigureAwait(false);
    }

    private static bool IsKnown(HttpRequest request, PageFile file)
    {
        if (!EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)) return false;
        var tag = new EntityTagHeaderValue(file.Tag);
        return known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(tag, useStrongComparison: false));
    }
}
