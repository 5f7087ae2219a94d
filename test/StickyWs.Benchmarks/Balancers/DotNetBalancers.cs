using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StickyWs.Draining;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.LoadBalancing;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>The balancers that are roles of this program, each as its own documentation sets it up, logging off.</summary>
internal static class DotNetBalancers
{
    // Kestrel's default is 512. The others are told the same.
    private const int Backlog = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>StickyWs.</summary>
    /// <param name="place">Where it stands.</param>
    /// <param name="settings">What else the section <c>StickyWs</c> says, as <c>KEY=VALUE</c>.</param>
    /// <param name="extra">What it has besides.</param>
    public static Task<int> RunStickyWsAsync(Place place, string[] settings, Extra extra = Extra.None)
    {
        var builder = CreateBuilder(place);
        if (extra == Extra.AccessLines) builder.Logging.AddProvider(new NullSink()).AddFilter("StickyWs.Access", LogLevel.Information);
        builder.Configuration.AddInMemoryCollection(
            PoolOf(place).Concat(settings).Select(setting => setting.Split('=', 2))
                .Select(pair => KeyValuePair.Create($"StickyWs:{pair[0]}", (string?)pair[1])));
        builder.AddStickyWebSocketBalancing();
        var app = builder.Build();
        app.UseStickyWebSocketBalancing();
        if (extra == Extra.Dashboard) app.MapStickyWsDashboard("/stickyws");
        return ServeAsync(app);
    }

    public static Task<int> RunYarpAsync(Place place)
    {
        var builder = CreateBuilder(place);
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "pool", Match = new RouteMatch { Path = "{**any}" } }],
            [new ClusterConfig { ClusterId = "pool",
                HttpClient = new HttpClientConfig { DangerousAcceptAnyServerCertificate = place.IsBackendTls },
                LoadBalancingPolicy = place.Others is [] ? null : LoadBalancingPolicies.LeastRequests,
                HealthCheck = place.Others is [] ? null : new HealthCheckConfig { Passive = new() { Enabled = true, Policy = "TransportFailureRate" } },
                Destinations = place.BackendUrls.ToDictionary(url => url, url => new DestinationConfig { Address = url }) }]);
        var app = builder.Build();
        app.MapReverseProxy();
        return ServeAsync(app);
    }

    private static IEnumerable<string> PoolOf(Place place)
    {
        if (place.IsBackendTls) yield return "Pools:pool:Tls:DangerousAcceptAnyCertificate=true";
        if (place.Others is not []) yield return "Pools:pool:Policy=LeastConnections";
        foreach (var (i, url) in place.BackendUrls.Index()) yield return $"Pools:pool:Backends:backend{i}:Address={url}";
    }

    private static WebApplicationBuilder CreateBuilder(Place place)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.Backlog = Backlog);
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
            async command => command switch
            {
                ["collect"] => Collect(),
                ["hand-off", var seconds] => await HandOffAsync(app.Services.GetRequiredService<IBackendControl>(), seconds),
                _ => "?",
            });
    }

    // Says how many were told and how many were cut, when all are gone. Afterwards the backends serve again.
    private static async Task<string> HandOffAsync(IBackendControl control, string seconds)
    {
        var over = TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
        var ends = await control.HandOffAsync(BackendTarget.All, new HandOffSettings { Over = over, Deadline = over + Patience });
        control.Undrain(BackendTarget.All);
        return string.Create(CultureInfo.InvariantCulture, $"{ends.Sum(end => end.Told)} {ends.Sum(end => end.Cut)}");
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
