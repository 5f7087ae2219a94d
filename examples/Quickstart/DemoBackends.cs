namespace StickyWs.Examples.Quickstart;

/// <summary>Three real Kestrel servers, where the pool "demo" of appsettings.json expects its backends.</summary>
internal sealed class DemoBackends(IConfiguration configuration) : IHostedService
{
    public IReadOnlyList<DemoBackend> All { get; } =
        [.. configuration.GetSection("StickyWs:Pools:demo:Backends").GetChildren().Select(backend => new DemoBackend(backend.Key, backend["Address"]!))];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var backend in All) await backend.StartAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var backend in All) await backend.DisposeAsync();
    }
}
