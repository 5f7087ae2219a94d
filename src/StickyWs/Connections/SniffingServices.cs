using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.Dialing;
using StickyWs.Direct;
using StickyWs.Dispatch;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Connections;

/// <summary>The services that all sniffing middlewares of the process share.</summary>
internal sealed class SniffingServices(
    BackendRegistry registry,
    Dispatcher dispatcher,
    StickyForwarder forwarder,
    PassthroughForwarder passthrough,
    RawBackendTls backendTls,
    DirectLane direct,
    IOptions<KestrelServerOptions> kestrel,
    StickyWsMetrics metrics,
    TimeProvider time,
    ILogger<SniffingMiddleware> logger)
{
    private volatile HeadLimits? _limits;

    public Dispatcher Dispatcher => dispatcher;

    public StickyForwarder Forwarder => forwarder;

    public PassthroughForwarder Passthrough => passthrough;

    /// <summary>TLS to https backends in the raw lane.</summary>
    public RawBackendTls BackendTls => backendTls;

    /// <summary>Serves plain clients on their reactor, for direct pools.</summary>
    public DirectLane Direct => direct;

    public StickyWsMetrics Metrics => metrics;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    public StickyWsOptions Options => registry.Current.Options;

    /// <summary>Whether Kestrel limits its connections: then it has to see them all.</summary>
    public bool HasConnectionLimit => kestrel.Value.Limits.MaxConcurrentConnections is not null;

    /// <summary>
    /// The effective limits: ours, or Kestrel's where they are lower. Kestrel's options are resolved here and not earlier, because the sniffer is
    /// installed while they are being built.
    /// </summary>
    public HeadLimits Limits
    {
        get
        {
            var theirs = kestrel.Value.Limits;
            var maxHeadBytes = Math.Min(Options.MaxHeadBytes, theirs.MaxRequestHeadersTotalSize);
            if (_limits is { } limits && limits.MaxHeadBytes == maxHeadBytes) return limits;
            return _limits = new HeadLimits(maxHeadBytes, theirs.MaxRequestLineSize, theirs.MaxRequestHeaderCount);
        }
    }
}
