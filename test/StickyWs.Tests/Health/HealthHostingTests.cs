using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Health;

/// <summary>Health as an application gets it.</summary>
public sealed class HealthHostingTests
{
    [Fact]
    public async Task Start_ProbedBackends_AreJudgedWhenTheAppAccepts()
    {
        await using var good = await EchoBackend.StartAsync("good");
        await using var bad = RawBackend.Answering(_ => "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddStickyWebSocketBalancing(options => options.Pools["chat"] = new PoolOptions
        {
            Backends = { ["good"] = new() { Address = good.Address }, ["bad"] = new() { Address = bad.Address } },
            Health = { WebSocket = new WebSocketProbeOptions { Timeout = Wait.Bound, Fall = 1 } },
        });
        builder.Services.AddHealthChecks().AddStickyWebSocketBalancing();
        await using var app = builder.Build();

        await app.StartAsync(Wait.Token());
        var pool = app.Services.GetRequiredService<BackendRegistry>().Current.Pools.Single();
        var report = await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Wait.Token());
        await app.StopAsync(Wait.Token());

        Assert.Equal("good", Assert.Single(pool.Eligible).Name);
        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Equal("Unhealthy", report.Entries["stickyws"].Data["chat/bad"]);
    }
}
