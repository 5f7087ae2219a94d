using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace StickyWs.Proxying;

/// <summary>A request while YARP forwards it: adapts the features that YARP sees, and restores the application's own at the end.</summary>
internal readonly struct Exchange : IDisposable
{
    private readonly ProxiedRequest _request;
    private readonly BackendClient _client;
    private readonly Stream _body;
    private readonly IHttpUpgradeFeature? _upgrade;

    /// <param name="request">The request.</param>
    /// <param name="client">Sends it; released at the end.</param>
    public Exchange(ProxiedRequest request, BackendClient client)
    {
        (_request, _client) = (request, client);
        var context = request.Context;
        _body = context.Request.Body;
        _upgrade = HideUpgrade(context);
        if (request.CanHaveBody != false) context.Request.Body = request.Body = new BodyGate(_body);
    }

    public ValueTask<ForwarderError> SendAsync(QuietForwarder forwarder, HttpTransformer transformer)
    {
        var config = new ForwarderRequestConfig { ActivityTimeout = _request.Pool.Options.Timeouts.Activity };
        return forwarder.SendAsync(_request.Context, _request.Backend!.Address.AbsoluteUri, _client.Invoker, config, transformer, _request.Deadline);
    }

    public void Dispose()
    {
        if (_request.Bound is { } bound) bound.Backend = _request.Backend;
        _request.End();
        _request.Context.Request.Body = _body;
        if (_upgrade is not null) _request.Context.Features.Set(_upgrade);
        _client.Release();
    }

    // YARP turns upgradable requests into tunnels of its own; requests here are plain, whatever they ask for.
    private static IHttpUpgradeFeature? HideUpgrade(HttpContext context)
    {
        var upgrade = context.Features.Get<IHttpUpgradeFeature>();
        if (upgrade is not { IsUpgradableRequest: true }) return null;
        context.Features.Set<IHttpUpgradeFeature>(null);
        return upgrade;
    }
}
