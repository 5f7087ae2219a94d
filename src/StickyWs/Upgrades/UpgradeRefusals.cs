using Microsoft.AspNetCore.Http;
using StickyWs.Configuration;
using StickyWs.Http1;
using StickyWs.Pipeline;

namespace StickyWs.Upgrades;

/// <summary>
/// Why an upgrade is refused. Such a request is never passed on as a plain one: the client would read the response as the protocol that it asked for.
/// </summary>
internal static class UpgradeRefusals
{
    public static Refusal BadWebSocket { get; } = new(400, "The WebSocket handshake is not valid.");

    /// <summary>RFC 6455 section 4.4: a version that is not spoken is answered with the one that is.</summary>
    public static Refusal OtherVersion { get; } = new(426, "Only WebSocket version 13 is spoken here.") { Header = ("Sec-WebSocket-Version", "13") };

    public static Refusal BadUpgrade { get; } = new(400, "The request for an upgrade is not valid.");

    /// <summary>RFC 9113 section 8.2.2: the header has no meaning in HTTP/2.</summary>
    public static Refusal OtherHttp { get; } = new(400, "Upgrade is for HTTP/1.1; later versions of HTTP have extended CONNECT.");

    public static Refusal OtherMethod { get; } = new(501, "Only GET and POST can be upgraded here.");

    public static Refusal WithBody { get; } = new(501, "A request with a body cannot be upgraded here.");

    public static Refusal NoServer { get; } = new(501, "This server cannot upgrade a connection.");

    public static Refusal NotListed(string[] asked)
    {
        var name = Array.Find(asked, UpgradeName.Is) is { } found ? $"'{found}' " : "";
        return new(501, $"The upgrade {name}is not one that this pool passes on; see its option Upgrades.");
    }

    public static Task WriteAsync(HttpContext context, Refusal refusal)
    {
        CloseAfterwards(context);
        return ErrorAnswer.WriteAsync(context, refusal);
    }

    /// <summary>Bytes that the client sent after its handshake were meant for the tunnel and must not be read as its next request.</summary>
    public static void CloseAfterwards(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol)) context.Response.Headers.Connection = "close";
    }
}
