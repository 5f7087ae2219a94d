using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using StickyWs.Dashboard.Answers;

namespace StickyWs.Dashboard.Access;

/// <summary>
/// Without authorization, only this machine is answered. A proxy on this machine makes everybody look local. Most proxies leave a header, and their
/// requests are refused. Others leave the client's own words as they are: nginx as its manual has it for WebSockets takes away an empty Upgrade, and leaves
/// Connection, Origin and Referer. A name of somebody else's that leads here (DNS rebinding) makes a foreign page look local, so the host has to be this
/// machine by name. A proxy that leaves nothing at all is not to be told from a local client, so who steers needs more (<see cref="SteeringRule"/>).
/// </summary>
internal static class LocalRule
{
    // What proxies, and the middleware that believes them, leave behind. Prefixes.
    private static readonly string[] TracesOfProxies =
    [
        "Forwarded", "X-Forwarded", "X-Original", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Envoy-", "X-ProxyUser-IP", "X-ARR-", "True-Client-IP",
        "Client-IP", "CF-", "Fastly-", "Fly-", "Via", "CDN-Loop",
    ];

    /// <summary>Whether authorization decides. The framework refuses to run an endpoint that asks for it if its middleware is missing.</summary>
    public static bool IsReplaced(EndpointMetadataCollection metadata)
        => metadata.GetMetadata<IAuthorizeData>() is not null && metadata.GetMetadata<IAllowAnonymous>() is null;

    public static Problem? Check(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address || !IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address))
            return Refusal("the client is not on this machine");
        if (TraceOf(context.Request.Headers) is { } trace) return Refusal($"the header {trace} says that a proxy is in front, and the client may be anywhere");
        if (HttpProtocol.IsHttp10(context.Request.Protocol)) return Refusal("HTTP/1.0 is spoken by proxies that leave no other trace");
        if (IsBereftOfUpgrade(context.Request.Headers)) return Refusal("'Connection: upgrade' without Upgrade is what a proxy in front makes of any request");
        if (PageElsewhereOf(context) is { } page) return Refusal($"its {page} says that it comes from a page of another machine, or through a proxy");
        return IsThisMachine(context.Request.Host) ? null : Refusal("the request is not for localhost, or an address of the loopback network");
    }

    public static bool IsThisMachine(HostString host)
    {
        if (host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        return IPAddress.TryParse(host.Host.AsSpan().Trim("[]"), out var address) && IPAddress.IsLoopback(address);
    }

    private static bool IsBereftOfUpgrade(IHeaderDictionary headers)
        => headers.Upgrade.Count == 0 && headers.GetCommaSeparatedValues("Connection").Contains("upgrade", StringComparer.OrdinalIgnoreCase);

    // Where a link is followed from is no matter; and pages that the application has named are meant.
    private static string? PageElsewhereOf(HttpContext context)
    {
        if (OriginRule.IsOpened(context)) return null;
        var headers = context.Request.Headers;
        if (IsElsewhere(headers.Origin)) return "Origin";
        return headers["Sec-Fetch-Site"] is not ["cross-site" or "same-site"] && IsElsewhere(headers.Referer) ? "Referer" : null;
    }

    private static bool IsElsewhere(StringValues page)
        => page.Count > 0 && !(page is [{ } address] && Uri.TryCreate(address, UriKind.Absolute, out var from) && IsThisMachine(new HostString(from.Host)));

    private static Problem Refusal(string cause) => Problem.Forbidden("local-only",
        $"Without authorization only clients on this machine are answered, and {cause}: use MapStickyWsDashboard(...).RequireAuthorization(...).");

    private static string? TraceOf(IHeaderDictionary headers)
    {
        foreach (var (name, _) in headers)
        {
            foreach (var trace in TracesOfProxies)
            {
                if (name.StartsWith(trace, StringComparison.OrdinalIgnoreCase)) return Problem.Cut(name);
            }
        }

        return null;
    }
}
