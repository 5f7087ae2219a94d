using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Configuration;

namespace StickyWs.Upgrades;

/// <summary>The protocols that a request asks for, by <c>Upgrade</c> (RFC 9110 section 7.8) or extended CONNECT (RFC 8441, RFC 9220).</summary>
internal static class AskedUpgrades
{
    /// <summary>
    /// The protocols in the client's order; empty for a plain request. Other versions of HTTP do not count, since a client that offers them goes on
    /// in HTTP/1.1. HTTP/1.0 has no upgrade.
    /// </summary>
    public static string[] Of(HttpContext context)
    {
        var request = context.Request;
        if (HttpMethods.IsConnect(request.Method) && context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
            return [connect.Protocol ?? ""];
        var lines = request.Headers.Upgrade;
        if (lines.Count == 0) return IsWebSocket(context) ? [UpgradeName.WebSocket] : [];
        if (HttpProtocol.IsHttp10(request.Protocol)) return [];
        return [.. lines.SelectMany(Protocols).Where(name => !UpgradeName.IsHttp(name))];
    }

    /// <summary>Those that a pool lists, as a value for <c>Upgrade</c>; empty if it lists none of them.</summary>
    public static string Listed(string[] asked, IList<string> upgrades)
        => string.Join(", ", asked.Where(name => upgrades.Contains(name, StringComparer.OrdinalIgnoreCase)));

    // How in-memory servers signal it. Every handshake names its version (RFC 6455 section 4.1).
    private static bool IsWebSocket(HttpContext context)
        => context.Request.Headers.SecWebSocketVersion.Count > 0 && context.Features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true };

    private static string[] Protocols(string? line) => line?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
