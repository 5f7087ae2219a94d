using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Detection;
using StickyWs.Dispatch;
using StickyWs.Forwarding;

namespace StickyWs.Connections;

/// <summary>What every sniffing middleware of the process shares.</summary>
internal sealed class SniffingServices(
    BackendRegistry registry,
    Dispatcher dispatcher,
    StickyForwarder forwarder,
    KestrelCaps caps,
    TimeProvider time,
    ILogger<SniffingMiddleware> logger)
{
    private volatile SniffLimits? _limits;

    public Dispatcher Dispatcher => dispatcher;

    public StickyForwarder Forwarder => forwarder;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    public StickyWsOptions Options => registry.Current.Options;

    /// <summary>The caps in force: ours, or Kestrel's where they are lower.</summary>
    public SniffLimits Limits
    {
        get
        {
            var maxHeadBytes = Math.Min(Options.MaxHeadBytes, caps.MaxHeadersBytes);
            if (_limits is { } limits && limits.MaxHeadBytes == maxHeadBytes) return limits;
            return _limits = new SniffLimits(maxHeadBytes, caps.MaxRequestLineBytes, caps.MaxHeaders);
        }
    }
}
