using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>The two that are compared, each as its own documentation sets it up, logging off.</summary>
internal static class Balancers
{
    public static Task<int> RunStickyWsAsync(string backendPort)
    {
        var builder = CreateBuilder();
        builder.AddStickyWebSocketBalancing(options =>
        {
            var pool = new PoolOptions();
            pool.Backends["backend"] = new BackendOptions { Address = $"http://127.0.0.1:{backendPort}" };
            options.Pools["pool"] = pool;
        });
        var app = builder.Build();
        app.UseStickyWebSocketBalancing();
        return ServeAsync(app);
    }

    public static Task<int> RunYarpAsync(string backendPort)
    {
        var builder = CreateBuilder();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "pool", Match = new RouteMatch { Path = "{**any}" } }],
            [new ClusterConfig { ClusterId = "pool", Destinations = new Dictionary<string, DestinationConfig> { ["backend"] = new() { Address = $"http://127.0.0.1:{backendPort}" } } }]);
        var app = builder.Build();
        app.MapReverseProxy();
        return ServeAsync(app);
    }

    private static WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        return builder;
    }

    private static async Task<int> ServeAsync(WebApplication app)
    {
        await app.StartAsync();
        return await Commands.ServeAsync(
            new Uri(app.Urls.Single()).Port.ToString(CultureInfo.InvariantCulture),
            command => Task.FromResult(Answer(command[0]).ToString(CultureInfo.InvariantCulture)));
    }

    private static long Answer(string command) => command switch
    {
        "collect" => Collect(),
        "allocated" => GC.GetTotalAllocatedBytes(precise: true),
        _ => -1,
    };

    // Twice, so that what the first round's finalizers let go is gone as well; Aggressive gives free memory back to the system.
    private static long Collect()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: false);
    }
}
