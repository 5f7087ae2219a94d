using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;

namespace StickyWs.Proxying;

/// <summary>
/// WebSocket handshakes that the sniffer could not see: later on a kept-alive connection, inside TLS, by extended CONNECT over HTTP/2
/// (RFC 8441), or on an in-memory server. They become tunnels of the same forwarder, by the same rules.
/// </summary>
internal sealed class UpgradeProxy(StickyForwarder forwarder)
{
    /// <summary>The way in which a request asks for a WebSocket, or <see langword="null"/> when it does not.</summary>
    public static PipelineClient? Recognize(HttpContext context)
    {
        var features = context.Features;
        if (features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
            return connect.Protocol == "websocket" ? new ExtendedConnectClient(context, connect) : null;
        if (!HttpMethods.IsGet(context.Request.Method)) return null;

        // Kestrel would upgrade HTTP/1.0 too, where the header is to be ignored (RFC 9110 section 7.8).
        if (features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
            return HttpProtocol.IsHttp11(context.Request.Protocol) && UpgradeHead.AsksForWebSocket(context.Request) ? new UpgradedClient(context, upgrade) : null;
        return features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true } webSocket ? new WebSocketFeatureClient(context, webSocket) : null;
    }

    public async Task ForwardAsync(PipelineClient client, Decision decision)
    {
        var request = client.Context.Request;
        var bytes = UpgradeHead.Render(request, client.HasOwnKey);
        if (HandshakeParser.Parse(bytes, UpgradeHead.NoLimits, out var head) == Verdict.PlainHttp || head is null)
        {
            await RefuseAsync(client).ConfigureAwait(false);
            return;
        }

        // An upgraded connection ends with its tunnel anyway; to release the gate then would break off what is still to be sent.
        var gate = client is UpgradedClient ? client.Context.Features.Get<HalfCloseGate>() : null;
        gate?.Hold();
        using var watch = client.WatchTimeout();
        try
        {
            await forwarder.ForwardAsync(client, head, decision).ConfigureAwait(false);
            if (!client.IsUpgraded) Abandonment.ThrowIfTimedOut(client.Context);
        }
        finally
        {
            if (!client.IsUpgraded) gate?.Release();
        }
    }

    // RFC 6455 section 4.4: a version that is not spoken is answered with the one that is.
    private static async Task RefuseAsync(PipelineClient client)
    {
        var context = client.Context;
        if (context.Request.Headers.SecWebSocketVersion != "13")
        {
            context.Response.Headers.SecWebSocketVersion = "13";
            await client.RefuseAsync(new Refusal(426, "Upgrade Required", "Only WebSocket version 13 is spoken here.")).ConfigureAwait(false);
        }
        else
        {
            await client.RefuseAsync(new Refusal(400, "Bad Request", "The WebSocket handshake is not valid.")).ConfigureAwait(false);
        }
    }
}
