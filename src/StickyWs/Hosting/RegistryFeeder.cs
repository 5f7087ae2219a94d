using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>Feeds the registry from the source: before anything else starts, and on every change.</summary>
internal sealed partial class RegistryFeeder(
    IBackendSource source,
    BackendRegistry registry,
    StickyWsMetrics meter,
    RegistryMetrics metrics,
    TunnelMetrics tunnels,
    ReactorMetrics reactors,
    CertificateMetrics certificates,
    ConfigurationAdvice advice,
    ILogger<RegistryFeeder> logger)
    : IHostedLifecycleService, IDisposable
{
    private IDisposable? _subscription;
    private volatile bool _isStarted;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(registry);
        tunnels.Observe(registry);
        reactors.Observe();
        certificates.Observe();
        _subscription = source.OnChange(changed =>
        {
            registry.Apply(changed);
            LogApplied(changed.Pools.Length);
            meter.ConfigurationChanged(isApplied: true);
            advice.Consider(changed.Options);
            if (_isStarted) advice.ConsiderPipeline(changed.Options);
        });
        var first = source.Current; // After the subscription, so that no change is lost between the two.
        registry.Apply(first);
        advice.Consider(first.Options);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // A host may build its pipeline until here.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _isStarted = true;
        advice.ConsiderPipeline(registry.Current.Options);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _subscription?.Dispose();

    [LoggerMessage(EventIds.ConfigurationApplied, LogLevel.Information,
        "The changed configuration is applied: {Pools} pools",
        EventName = "ConfigurationApplied")]
    private partial void LogApplied(int pools);
}
