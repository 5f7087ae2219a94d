using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StickyWs.Backends;
using StickyWs.Dispatch;

namespace StickyWs.Proxying;

/// <summary>
/// The HTTP half. A request for which routing has chosen an endpoint of the application (and not for want of a better one), or that belongs to no pool, goes on; a
/// WebSocket handshake becomes a tunnel; any other request is balanced by itself.
/// </summary>
internal sealed class BalancingMiddleware(RequestDelegate next, Dispatcher dispatcher, UpgradeProxy upgrades, RequestProxy requests)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is { } endpoint && !FallbackPolicy.IsFallback(context, endpoint)) return next(context);
        var client = UpgradeProxy.Recognize(context);
        var kind = client is null ? LeaseKind.Request : LeaseKind.Tunnel;
        var deciding = dispatcher.DecideAsync(context.Request, kind, RequestTarget.Of(context).Path);
        return deciding.IsCompletedSuccessfully ? ForwardAsync(context, client, deciding.Result) : WaitAsync(context, client, deciding);
    }

    private async Task WaitAsync(HttpContext context, PipelineClient? client, ValueTask<Decision?> deciding)
        => await ForwardAsync(context, client, await deciding.ConfigureAwait(false)).ConfigureAwait(false);

    private Task ForwardAsync(HttpContext context, PipelineClient? client, Decision? decision)
    {
        if (decision is null) return next(context);
        FallbackPolicy.Forget(context);
        if (client is not null) return upgrades.ForwardAsync(client, decision);
        return IsConnect(context) ? RefuseConnect(context) : requests.ForwardAsync(context, decision);
    }

    private static bool IsConnect(HttpContext context)
        => HttpMethods.IsConnect(context.Request.Method) || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    // A reverse proxy is no tunnel to anywhere (RFC 9110 section 9.3.6).
    private static Task RefuseConnect(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status501NotImplemented;
        return Task.CompletedTask;
    }
}
