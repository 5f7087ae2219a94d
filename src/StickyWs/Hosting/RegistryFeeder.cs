using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>Hands the options over to the registry: before anything else starts, and at every valid change.</summary>
internal sealed partial class RegistryFeeder(
    IOptionsMonitor<StickyWsOptions> options, BackendRegistry registry, RegistryMetrics metrics, ConfigurationAdvice advice, ILogger<RegistryFeeder> logger)
    : IHostedLifecycleService, IDisposable
{
    private IDisposable? _subscription;
    private volatile bool _isStarted;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(registry);
        registry.Apply(options.CurrentValue);
        advice.Consider(options.CurrentValue);
        _subscription = options.OnChange((changed, _) =>
        {
            registry.Apply(changed);
            LogApplied(changed.Pools.Count);
            advice.Consider(changed);
            if (_isStarted) advice.ConsiderPipeline(changed);
        });
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Until here a host may build its pipeline.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _isStarted = true;
        advice.ConsiderPipeline(options.CurrentValue);
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
