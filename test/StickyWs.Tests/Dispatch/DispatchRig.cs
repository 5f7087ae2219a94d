using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Balancing;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Http1;
using StickyWs.Observability;
using StickyWs.Pinning;
using StickyWs.TestKit;

namespace StickyWs.Tests.Dispatch;

/// <summary>A dispatcher with everything that it needs, over a registry that the test has.</summary>
internal sealed class DispatchRig
{
    private static readonly HeadLimits Limits = new(32 * 1024, 8 * 1024, 100);

    public DispatchRig(BackendRegistry registry, TimeProvider? time = null, IPinStore? store = null, ILoadBalancingPolicy? policy = null)
    {
        time ??= TimeProvider.System;
        Metrics = new StickyWsMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>());
        Shared = store is null ? null : new SharedPins(store, registry, Metrics, time, SharedLog);
        Pins = new Pins(registry, time, Shared);
        Services = new AffinityServices(registry, Pins, new CookieSeals(null, CookieLog), Metrics, time);
        ILoadBalancingPolicy[] policies = [new RoundRobinPolicy(), new LeastConnectionsPolicy()];
        Dispatcher = new Dispatcher(registry, new PolicyTable(policy is null ? policies : [.. policies, policy], new FakeLogger<PolicyRunner>()),
            new ClaimResolver(Services));
    }

    public StickyWsMetrics Metrics { get; }

    public SharedPins? Shared { get; }

    public Pins Pins { get; }

    public AffinityServices Services { get; }

    public Dispatcher Dispatcher { get; }

    public FakeLogger<SharedPins> SharedLog { get; } = new();

    public FakeLogger<CookieSeals> CookieLog { get; } = new();

    /// <summary>A handshake's head, parsed.</summary>
    public static RequestHead Head(string target = "/", string headers = "")
    {
        HandshakeParser.Parse(Encoding.Latin1.GetBytes(HttpHead.Handshake(target, headers)), Limits, out var head);
        return head ?? throw new ArgumentException("Not a handshake: " + target + headers, nameof(target));
    }

    /// <summary>A plain request as Kestrel has parsed it.</summary>
    public static HttpRequest Request(string path = "/", string query = "", string method = "GET", string host = "h")
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Host = new HostString(host);
        context.Request.Path = path;
        context.Request.QueryString = new QueryString(query);
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new NoBody());
        return context.Request;
    }

    /// <summary>Decides by host and path alone.</summary>
    public Decision? Decide(string host, string path, LeaseKind kind) => Decide(Request(path, host: host), kind);

    public Decision? Decide(HttpRequest request, LeaseKind kind = LeaseKind.Request) => Now(Dispatcher.DecideAsync(request, kind));

    public Decision? Decide(RequestHead head, IPAddress? peer = null) => Now(Dispatcher.DecideAsync(head, peer ?? IPAddress.Loopback, isHttps: false));

    // Without a shared store there is nothing to wait for.
    private static Decision? Now(ValueTask<Decision?> deciding)
    {
        Assert.True(deciding.IsCompletedSuccessfully);
        return deciding.Result;
    }

    private sealed class NoBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => false;
    }
}
