using Microsoft.AspNetCore.Http;
using StickyWs.Configuration;
using StickyWs.Forwarding;
using StickyWs.Pipeline;

namespace StickyWs.Upgrades;

/// <summary>
/// Why an upgrade is refused. Such a request is never passed on as a plain one: the client would read the response as the protocol that it asked for.
/// </summary>
internal static class UpgradeRefusals
{
    public static Refusal BadWebSocket { get; } = new(400, "Bad Request", "The WebSocket handshake is not valid.");

    /// <summary>RFC 6455 section 4.4: an unsupported version is answered with the supported one.</summary>
    public static Refusal OtherVersion { get; } = new(426, "Upgrade Required", "Only WebSocket version 13 is supported.");

    public static Refusal BadUpgrade { get; } = new(400, "Bad Request", "The request for an upgrade is not valid.");

    /// <summary>RFC 9113 section 8.2.2: the header has no meaning in HTTP/2.</summary>
    public static Refusal OtherHttp { get; } = new(400, "Bad Request", "Upgrade works in HTTP/1.1 only; use extended CONNECT in later versions.");

    public static Refusal OtherMethod { get; } = new(501, "Not Implemented", "Only GET and POST can be upgraded here.");

    public static Refusal WithBody { get; } = new(501, "Not Implemented", "A request with a body cannot be upgraded here.");

    public static Refusal NoServer { get; } = new(501, "Not Implemented", "This server cannot upgrade a connection.");

    public static Refusal NotListed(string[] asked)
    {
        var name = Array.Find(asked, UpgradeName.Is) is { } found ? $"'{found}' " : "";
        return new(501, "Not Implemented", $"The upgrade {name}is not allowed by this pool; see its option Upgrades.");
    }

    public static async Task WriteAsync(HttpContext context, Refusal refusal)
    {
        var response = context.Response;
        response.StatusCode = refusal.Status;
        if (refusal.RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds;
        if (ReferenceEquals(refusal, OtherVersion)) response.Headers.SecWebSocketVersion = "13";
        CloseAfterwards(context);
        if (ErrorAnswer.HasPageOf(context)) return;
        response.ContentType = "text/plain";
        response.ContentLength = refusal.Text.Length;
        await response.WriteAsync(refusal.Text).ConfigureAwait(false);
    }

    /// <summary>Bytes that the client sent after its handshake were meant for the tunnel and must not be read as its next request.</summary>
    public static void CloseAfterwards(HttpContext context)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol)) context.Response.Headers.Connection = "close";
    }
}
