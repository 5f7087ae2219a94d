using Microsoft.AspNetCore.Http;
using StickyWs.Backends;
using StickyWs.Dispatch;
using StickyWs.Http1;
using StickyWs.Pipeline;
using StickyWs.Upgrades;

namespace StickyWs.Proxying;

/// <summary>
/// The HTTP half. A request for which routing has chosen an endpoint of the application (other than a fallback), or that belongs to no pool, goes on;
/// an upgrade request becomes a tunnel or is refused; any other request is balanced individually.
/// </summary>
internal sealed class BalancingMiddleware(RequestDelegate next, Dispatcher dispatcher, UpgradeProxy upgrades, RequestProxy requests)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is { } endpoint && !FallbackPolicy.IsFallback(context, endpoint)) return next(context);
        var asked = AskedUpgrades.Of(context);
        var kind = asked.Length == 0 ? LeaseKind.Request : LeaseKind.Tunnel;
        var target = RequestTarget.Of(context);
        var deciding = dispatcher.DecideAsync(context.Request, kind, target.Path);
        return deciding.IsCompletedSuccessfully ? ForwardAsync(context, asked, target, deciding.Result) : WaitAsync(context, asked, target, deciding);
    }

    private async Task WaitAsync(HttpContext context, string[] asked, RequestTarget target, ValueTask<Decision?> deciding)
        => await ForwardAsync(context, asked, target, await deciding.ConfigureAwait(false)).ConfigureAwait(false);

    private Task ForwardAsync(HttpContext context, string[] asked, RequestTarget target, Decision? decision)
    {
        if (decision is null)
        {
            FallbackPolicy.Restore(context);
            return next(context);
        }

        if (ErrorAnswer.IsPage(context)) return context.GetEndpoint() is null ? Task.CompletedTask : next(context);
        FallbackPolicy.Forget(context);
        return asked.Length > 0 ? upgrades.ForwardAsync(context, asked, decision) : requests.ForwardAsync(context, decision, target.Value);
    }
}
