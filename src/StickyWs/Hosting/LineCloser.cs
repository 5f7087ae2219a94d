using Microsoft.Extensions.Hosting;
using StickyWs.Backends;

namespace StickyWs.Hosting;

/// <summary>Sends those away who wait for a place when the host begins to stop: they would hold it up, and another instance may have room.</summary>
internal sealed class LineCloser(BackendRegistry registry, IHostApplicationLifetime lifetime) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.UnsafeRegister(static registry => ((BackendRegistry)registry!).CloseLines(), registry);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
