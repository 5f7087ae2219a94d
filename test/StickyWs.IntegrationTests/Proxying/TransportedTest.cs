using Microsoft.Extensions.DependencyInjection;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Tests of what the bytes of plain requests meet on their way, for every transport that carries them.</summary>
public abstract class TransportedTest(Lane lane, bool isDirect = false)
{
    /// <summary>Whether requests stay on their reactor.</summary>
    private protected bool IsDirect { get; } = isDirect;

    private protected Task<ProxyHost> StartAsync(params Uri[] backends) => StartAsync(_ => { }, backends);

    private protected Task<ProxyHost> StartAsync(Action<PoolOptions> configure, params Uri[] backends)
        => StartAsync((_, pool) => configure(pool), _ => { }, backends);

    private protected Task<ProxyHost> StartAsync(Action<PoolOptions> configure, Action<IServiceCollection> services, params Uri[] backends)
        => ProxyHost.StartAsync(lane, Configured((_, pool) => configure(pool)), _ => { }, services, backends);

    private protected Task<ProxyHost> StartAsync(Action<StickyWsOptions, PoolOptions> configure,
        Action<Microsoft.AspNetCore.Builder.WebApplication> map, params Uri[] backends)
        => ProxyHost.StartAsync(lane, Configured(configure), map, backends);

    private Action<StickyWsOptions, PoolOptions> Configured(Action<StickyWsOptions, PoolOptions> configure) => (options, pool) =>
    {
        if (IsDirect) pool.Http = HttpMode.Direct;
        configure(options, pool);
    };
}
