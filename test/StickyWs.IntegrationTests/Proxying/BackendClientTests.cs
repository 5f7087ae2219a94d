using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Configuration;
using StickyWs.Proxying;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public sealed class BackendClientTests
{
    [Fact]
    public async Task A_change_that_does_not_concern_connections_keeps_the_client()
    {
        await using var a = await KestrelBackend.StartAsync(context => context.Response.WriteAsync(context.Connection.Id));
        await using var proxy = await ProxyHost.StartAsync(a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        var before = await client.GetStringAsync("/");
        Change(proxy, a.Address, pool => pool.Timeouts.Activity = TimeSpan.FromSeconds(7));
        Assert.Equal(before, await client.GetStringAsync("/"));
        Change(proxy, a.Address, pool => pool.Timeouts.Connect = TimeSpan.FromSeconds(7));
        Assert.NotEqual(before, await client.GetStringAsync("/"));
    }

    [Fact]
    public async Task A_request_under_way_survives_the_replacement_and_the_removal_of_its_pool()
    {
        var arrived = new SemaphoreSlim(0);
        var mayAnswer = new TaskCompletionSource();
        await using var a = await KestrelBackend.StartAsync(async context =>
        {
            if (context.Request.Path == "/slow")
            {
                await context.Response.WriteAsync("first ");
                await context.Response.Body.FlushAsync();
                arrived.Release();
                await mayAnswer.Task;
            }

            await context.Response.WriteAsync("done");
        });
        await using var proxy = await ProxyHost.StartAsync(a.Address);
        var backend = proxy.Pool.Backends[0];
        using var slow = ProxyHost.Client(proxy.Http1);
        using var client = ProxyHost.Client(proxy.Http1);
        var answer = slow.GetStringAsync("/slow");
        await arrived.WaitAsync();
        Change(proxy, a.Address, pool => pool.Timeouts.Connect = TimeSpan.FromSeconds(7));
        Assert.Equal("done", await client.GetStringAsync("/"));
        proxy.Registry.Apply(new StickyWsOptions());
        Assert.Equal("the app", await client.GetStringAsync("/"));
        mayAnswer.SetResult();
        Assert.Equal("first done", await answer);
        await proxy.FinishAsync();
        Assert.Equal(0, backend.ActiveRequests);
    }

    [Fact]
    public async Task A_client_is_closed_with_its_last_use()
    {
        await using var proxy = await ProxyHost.StartAsync(new Uri("http://127.0.0.1:9"));
        var table = proxy.Services.GetRequiredService<BackendClientTable>();
        var used = table.Use(proxy.Pool);
        proxy.Registry.Apply(new StickyWsOptions());
        Assert.True(used.TryUse());
        used.Release();
        used.Release();
        Assert.False(used.TryUse());
    }

    private static void Change(ProxyHost proxy, Uri backend, Action<PoolOptions> change)
    {
        var options = new StickyWsOptions();
        var pool = new PoolOptions();
        pool.Backends["a"] = new BackendOptions { Address = backend.GetLeftPart(UriPartial.Authority) };
        change(pool);
        options.Pools["pool"] = pool;
        proxy.Registry.Apply(options);
    }
}
