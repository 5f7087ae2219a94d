using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Draining;
using StickyWs.Observability;
using StickyWs.Tests.Backends;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Draining;

/// <summary>A registry, a table of tunnels and their drains, on a clock that the test moves.</summary>
internal sealed class DrainRig : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    /// <param name="change">Of the pool's options.</param>
    public DrainRig(Action<PoolOptions>? change = null)
    {
        Metrics = new StickyWsMetrics(_services.GetRequiredService<IMeterFactory>());
        Tunnels = new TunnelTable(Metrics, Clock, TableLog);
        Registry = new BackendRegistry(NullLogger<BackendRegistry>.Instance, Clock);
        Drains = new Drains(Registry, Tunnels, Log);
        Control = new BackendControl(Registry, Drains, Clock);
        Registry.Apply(Fleet.Options(change ?? (_ => { }), 1, 1));
    }

    public CountingTime Clock { get; } = new();

    public StickyWsMetrics Metrics { get; }

    public TunnelTable Tunnels { get; }

    public BackendRegistry Registry { get; }

    public Drains Drains { get; }

    public BackendControl Control { get; }

    public FakeLogger<Drains> Log { get; } = new();

    public FakeLogger<TunnelTable> TableLog { get; } = new();

    public Backend B => Fleet.PoolOf(Registry).Backends[1];

    public IEnumerable<string> Lines => Log.Collector.GetSnapshot().Select(line => line.Message);

    public FakeTunnel[] Open(int count, bool isStubborn = false, Backend? backend = null)
        => [.. Enumerable.Range(0, count).Select(_ => FakeTunnel.Open(backend ?? B, Tunnels, isStubborn))];

    /// <summary>Moves the clock in steps, leaving the thread pool its turn, until the condition holds.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="seconds">Of a step; default 0.2.</param>
    public Task PassUntilAsync(Func<bool> condition, double seconds = 0.2) => Wait.UntilAsync(() =>
    {
        if (!condition()) Clock.Advance(TimeSpan.FromSeconds(seconds));
        return condition();
    });

    public void Dispose()
    {
        Drains.Dispose();
        _services.Dispose();
    }
}
