using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Hosting;

/// <summary>Hands the options over to the registry: before anything else starts, and at every valid change.</summary>
internal sealed partial class RegistryFeeder(
    IOptionsMonitor<StickyWsOptions> options, BackendRegistry registry, RegistryMetrics metrics, ILogger<RegistryFeeder> logger)
    : IHostedLifecycleService, IDisposable
{
    private IDisposable? _subscription;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(registry);
        registry.Apply(options.CurrentValue);
        _subscription = options.OnChange((changed, _) =>
        {
            registry.Apply(changed);
            LogApplied(changed.Pools.Count);
        });
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _subscription?.Dispose();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _subscription?.Dispose();

    [LoggerMessage(EventIds.ConfigurationApplied, LogLevel.Information, "The changed configuration is applied: {Pools} pools", EventName = "ConfigurationApplied")]
    private partial void LogApplied(int pools);
}
