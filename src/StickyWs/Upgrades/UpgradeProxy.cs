using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using StickyWs.Access;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pipeline;
using StickyWs.Tunnels;

namespace StickyWs.Upgrades;

/// <summary>
/// Handles upgrades in the HTTP pipeline: WebSocket handshakes that were not sniffed (later on a kept-alive connection, over TLS, by extended CONNECT
/// over HTTP/2 (RFC 8441), on an in-memory server, or because their pool wants them here), and the other protocols that a pool lists. All become
/// tunnels of the same forwarder.
/// </summary>
internal sealed partial class UpgradeProxy(
    StickyForwarder forwarder, BackendRegistry registry, Accounts accounts, StickyWsMetrics metrics, TimeProvider time, ILogger<UpgradeProxy> logger)
{
    /// <summary>Opens a tunnel for a request that asks for an upgrade, or refuses it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="asked">The requested protocols, at least one.</param>
    /// <param name="decision">Its pool and backends.</param>
    public Task ForwardAsync(HttpContext context, string[] asked, Decision decision)
    {
        var listed = AskedUpgrades.Listed(asked, decision.Pool.Options.Upgrades);
        if (listed.Length > 0) return SwitchAsync(context, listed, decision);
        return Array.Exists(asked, UpgradeName.IsWebSocket)
            ? OpenWebSocketAsync(context, decision)
            : RefuseAsync(context, UpgradeRefusals.NotListed(asked), decision);
    }

    private bool IsTrusted(HttpContext context) => registry.Current.TrustedProxies.Contains(context.Connection.RemoteIpAddress);

    private Task OpenWebSocketAsync(HttpContext context, Decision decision)
    {
        if (Recognize(context) is not { } client) return RefuseAsync(context, UpgradeRefusals.BadWebSocket, decision);
        var bytes = UpgradeHead.Render(context.Request, client.HasOwnKey, IsTrusted(context));
        var isPlain = HandshakeParser.Parse(bytes, UpgradeHead.NoLimits, out var head) == Verdict.PlainHttp;
        if (!isPlain && head is not null) return TunnelAsync(client, head, decision);
        var isSpoken = context.Request.Headers.SecWebSocketVersion == "13";
        return RefuseAsync(context, isSpoken ? UpgradeRefusals.BadWebSocket : UpgradeRefusals.OtherVersion, decision);
    }

    private Task SwitchAsync(HttpContext context, string listed, Decision decision)
    {
        var client = RecognizeOther(context, out var refusal);
        if (client is null) return RefuseAsync(context, refusal!, decision);
        var method = Encoding.ASCII.GetBytes(UpgradeHead.MethodOf(context.Request) + " ");
        var bytes = UpgradeHead.Render(context.Request, client.HasOwnKey, IsTrusted(context), listed);
        var head = HandshakeParser.ParseUpgrade(bytes, method, Encoding.ASCII.GetBytes(listed));
        return head is null ? RefuseAsync(context, UpgradeRefusals.BadUpgrade, decision) : TunnelAsync(client, head, decision);
    }

    private async Task TunnelAsync(PipelineClient client, RequestHead head, Decision decision)
    {
        // An upgraded connection ends with its tunnel anyway. Releasing the gate then would abort what is still being sent.
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

        if (client.IsAnswered) client.Context.Response.OnCompleted(() => DeliverAsync(client)); // The application may still write its error page.
    }

    // The connection closes after the response, although the client may have sent, or still be sending, bytes that were meant for a tunnel.
    private async Task DeliverAsync(PipelineClient client)
    {
        if (!await new Delivery(time, Delivery.AnswerPatience).WaitAsync(client.Socket).ConfigureAwait(false)) client.Abort();
    }

    private Task RefuseAsync(HttpContext context, Refusal refusal, Decision decision)
    {
        if (accounts.IsWanted)
        {
            var asked = PipelineFacts.RequestOf(context, RequestTarget.Of(context).Value);
            accounts.Refused(PipelineFacts.ClientOf(context, LaneNames.Portable), decision, asked, refusal.Status);
        }

        metrics.Refused(decision.Pool.Name, StickyWsMetrics.UpgradeWork, refusal.Status.ToString(CultureInfo.InvariantCulture));
        LogRefused(context.Connection.Id, decision.Pool.Name, refusal.Status, refusal.Text);
        return UpgradeRefusals.WriteAsync(context, refusal);
    }

    // How the request asks for a WebSocket; null if it does not do so properly.
    private static PipelineClient? Recognize(HttpContext context)
    {
        var features = context.Features;
        if (features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect) return new ExtendedConnectClient(context, connect);
        if (!HttpMethods.IsGet(context.Request.Method)) return null;
        // Not in HTTP/1.0, where an Upgrade header has no meaning.
        if (features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade) return new UpgradedClient(context, upgrade);
        if (features.Get<IHttpWebSocketFeature>() is { IsWebSocketRequest: true } webSocket) return new WebSocketFeatureClient(context, webSocket);
        return null;
    }

    private static PipelineClient? RecognizeOther(HttpContext context, out Refusal? refusal)
    {
        refusal = null;
        var features = context.Features;
        var request = context.Request;
        if (features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect) return new ExtendedConnectClient(context, connect);
        if (!HttpProtocol.IsHttp11(request.Protocol)) refusal = UpgradeRefusals.OtherHttp;
        else if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsPost(request.Method)) refusal = UpgradeRefusals.OtherMethod;
        else if (features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade) return new UpgradedClient(context, upgrade);
        else if (features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true }) refusal = UpgradeRefusals.WithBody;
        else refusal = UpgradeHead.HasConnectionUpgrade(request) ? UpgradeRefusals.NoServer : UpgradeRefusals.BadUpgrade;
        return null;
    }
}
