using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Configuration;

namespace StickyWs.Upgrades;

/// <summary>What a request asks to be switched to: by <c>Upgrade</c> (RFC 9110 section 7.8) or by extended CONNECT (RFC 8441, RFC 9220).</summary>
internal static class AskedUpgrades
{
    /// <summary>
    /// The protocols, in the client's order; none for a plain request. Other forms of HTTP do not count, since who offers them goes on in HTTP/1.1,
    /// and HTTP/1.0 knows no upgrade.
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

    /// <summary>Those that a pool lists, as a list for <c>Upgrade</c>; empty when it lists none of them.</summary>
    public static string Listed(string[] asked, IList<string> upgrades)
        => string.Join(", ", asked.Where(name => upgrades.Contains(name, StringComparer.OrdinalIgnoreCase)));

    // As a server without a wire says it. Every handshake names its version (RFC 6455 section 4.1).
    private static bool IsWebSocket(HttpContext context)
        => context.Request.Headers.SecWebSocketVersion.Count > 0 && context.Features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true };

    private static string[] Protocols(string? line) => line?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
