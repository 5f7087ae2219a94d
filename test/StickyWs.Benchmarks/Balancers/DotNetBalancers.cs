using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>The balancers that are roles of this program, each as its own documentation sets it up, logging off.</summary>
internal static class DotNetBalancers
{
    /// <summary>StickyWs.</summary>
    /// <param name="place">Where it stands.</param>
    /// <param name="settings">What else the section <c>StickyWs</c> says, as <c>KEY=VALUE</c>.</param>
    public static Task<int> RunStickyWsAsync(Place place, string[] settings)
    {
        var builder = CreateBuilder(place);
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create($"StickyWs:{pair[0]}", (string?)pair[1])));
        builder.AddStickyWebSocketBalancing();
        builder.AddStickyWebSocketBalancing(options =>
        {
            if (!options.Pools.TryGetValue("pool", out var pool)) options.Pools["pool"] = pool = new PoolOptions();
            pool.Backends["backend"] = new BackendOptions { Address = place.BackendUrl };
            pool.Tls.DangerousAcceptAnyCertificate = place.IsBackendTls;
        });
        var app = builder.Build();
        app.UseStickyWebSocketBalancing();
        return ServeAsync(app);
    }

    public static Task<int> RunYarpAsync(Place place)
    {
        var builder = CreateBuilder(place);
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "pool", Match = new RouteMatch { Path = "{**any}" } }],
            [new ClusterConfig { ClusterId = "pool",
                HttpClient = new HttpClientConfig { DangerousAcceptAnyServerCertificate = place.IsBackendTls },
                Destinations = new Dictionary<string, DestinationConfig> { ["backend"] = new() { Address = place.BackendUrl } } }]);
        var app = builder.Build();
        app.MapReverseProxy();
        return ServeAsync(app);
    }

    private static WebApplicationBuilder CreateBuilder(Place place)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener =>
        {
            if (place.Certificate is { } file) listener.UseHttps(ServerCertificate.Load(file));
        }));
        return builder;
    }

    private static async Task<int> ServeAsync(WebApplication app)
    {
        await app.StartAsync();
        return await Commands.ServeAsync(
            new Uri(app.Urls.Single()).Port.ToString(CultureInfo.InvariantCulture),
            command => Task.FromResult(command is ["collect"] ? Collect() : "?"));
    }

    // Twice, so that what the first round's finalizers let go is gone as well; Aggressive gives free memory back to the system.
    private static string Collect()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return "collected";
    }
}
