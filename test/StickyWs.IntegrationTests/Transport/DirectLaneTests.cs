using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StickyWs.IntegrationTests.Reload;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Transport;

/// <summary>Connections of direct clients are the server's: it counts them, hands them over, and is told at the start what they do not reach.</summary>
public sealed class DirectLaneTests : ReloadTest
{
    private const string Get = "GET /chat HTTP/1.1\r\nHost: example.test\r\n\r\n";

    public static TheoryData<Lane> ReactorLanes { get; } = new(Lane.Raw, Lane.RawEpoll);

    [Theory]
    [MemberData(nameof(ReactorLanes))]
    public async Task They_count_against_Kestrels_limit_until_they_end(Lane lane)
    {
        var backend = (await StartEchoesAsync(1))[0];
        var balancer = Owned(Balancer.Start(Direct(backend.Address).Serving(lane), kestrel =>
        {
            kestrel.Limits.MaxConcurrentConnections = 1;
            kestrel.Listen(IPAddress.Loopback, 0);
        }));
        var client = OwnedClient(await RawClient.ConnectAsync(balancer.Address));
        for (var i = 0; i < 3; i++) await AskAsync(client);

        await using (var second = await RawClient.ConnectAsync(balancer.Address)) await second.WaitForEndAsync();
        await AskAsync(client);
        await client.DisposeAsync();

        await Wait.UntilAsync(async () =>
        {
            await using var next = await RawClient.ConnectAsync(balancer.Address);
            try
            {
                await next.WriteAsync(Get);
                return HttpHead.Status(await next.ReadHeadAsync()) == 200;
            }
            catch (IOException)
            {
                return false; // Its place is not free yet.
            }
        });
    }

    [Fact]
    public async Task A_request_under_way_is_answered_however_often_its_endpoint_is_edited()
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            backend.GiveToTest(wire);
        }));
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var settings = Direct(backend.Address);
        settings.Change(data => data["Kestrel:Endpoints:Main:Url"] = address.GetLeftPart(UriPartial.Authority));
        var balancer = StartConfigured(settings);
        await using var client = await RawClient.ConnectAsync(address);
        await client.WriteAsync(Get);
        await using var answer = await backend.NextTunnelAsync();

        for (var i = 1; i <= 2; i++)
        {
            balancer.Settings.Change(data => data["Kestrel:Endpoints:Main:Protocols"] = i % 2 == 0 ? "Http1AndHttp2" : "Http1");
            await Wait.UntilAsync(() => balancer.Log.Lines.Count(line => line.Event == "ListenerHandedOver") == i);
        }

        await answer.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        Assert.Equal(200, HttpHead.Status(await client.ReadHeadAsync()));
        await answer.WriteAsync("ok");
        Assert.Equal("ok", await client.ReadTextAsync(2));
        await using var late = await RawClient.ConnectAsync(address);
        await late.WriteAsync(Get.Replace("/chat", "/chat/late", StringComparison.Ordinal));
        await using (var asked = await backend.NextTunnelAsync())
        {
            await asked.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n");
            Assert.Equal(204, HttpHead.Status(await late.ReadHeadAsync()));
        }

        await balancer.StopAsync();
        await client.WaitForEndAsync();
        await late.WaitForEndAsync();
    }

    [Fact]
    public async Task A_handshake_becomes_a_tunnel_however_often_its_endpoint_was_edited()
    {
        var backend = (await StartEchoesAsync(1))[0];
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var settings = Direct(backend.Address);
        settings.Change(data => data["Kestrel:Endpoints:Main:Url"] = address.GetLeftPart(UriPartial.Authority));
        var balancer = StartConfigured(settings);
        await using var first = await RawClient.ConnectAsync(address);
        await AskAsync(first); // Leads the listener's clients to the lane before Kestrel knows of them.
        await using var client = await RawClient.ConnectAsync(address);
        await AskAsync(client);

        for (var i = 1; i <= 2; i++)
        {
            balancer.Settings.Change(data => data["Kestrel:Endpoints:Main:Protocols"] = i % 2 == 0 ? "Http1AndHttp2" : "Http1");
            await Wait.UntilAsync(() => balancer.Log.Lines.Count(line => line.Event == "ListenerHandedOver") == i);
        }

        foreach (var one in (RawClient[])[first, client]) Assert.Equal(101, HttpHead.Status(await one.AskAsync(HttpHead.Handshake("/chat"))));
        await balancer.StopAsync();
        await first.WaitForEndAsync();
        await client.WaitForEndAsync();
        await Wait.UntilAsync(() => Lines().Count() == 2);
        Assert.All(Lines(), line => Assert.Equal("raw", line.Fields["Lane"]));

        IEnumerable<LogLine> Lines() => balancer.Log.Lines.Where(line => line.Event == "TunnelLine");
    }

    [Fact]
    public async Task A_stop_ends_idle_ones_and_waits_for_a_request_under_way()
    {
        var backend = Owned(RawBackend.Start(static async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            backend.GiveToTest(wire);
        }));
        var balancer = Owned(Balancer.Start(Lane.Raw, Direct(backend.Address), builder => builder.ConfigureServices(
            static services => services.Configure<HostOptions>(static options => options.ShutdownTimeout = Wait.Bound))));
        await using var busy = await RawClient.ConnectAsync(balancer.Address);
        await using var idle = await RawClient.ConnectAsync(balancer.Address);
        await idle.WriteAsync(Get);
        await using (var first = await backend.NextTunnelAsync())
        {
            await first.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n");
            Assert.Equal(204, HttpHead.Status(await idle.ReadHeadAsync()));
        }

        await busy.WriteAsync(Get);
        await using var answer = await backend.NextTunnelAsync();

        var stopping = balancer.StopAsync();
        Assert.Equal("", await idle.ReadTextToEndAsync());
        Assert.False(stopping.IsCompleted);
        await answer.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

        Assert.Contains("Connection: close", await busy.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("ok", await busy.ReadTextToEndAsync());
        await stopping;
    }

    [Theory]
    [InlineData("/chat", "Pipeline", null)]
    [InlineData("/chat", "Direct", "/chat/{room}")]
    [InlineData("/chats", "Direct", null)]
    public async Task At_the_start_a_warning_names_a_route_that_a_direct_pool_hides(string prefix, string http, string? hidden)
    {
        var settings = Pool("http://127.0.0.1:1").With("Pools:chat:Http", http).With("Pools:chat:Match:PathPrefixes:0", prefix);
        var balancer = Owned(Balancer.Start(Lane.Raw, settings, builder => builder.ConfigureServices(
            static services => services.AddSingleton<IStartupFilter>(new Mapping()))));
        await using var client = await RawClient.ConnectAsync(balancer.Address);
        Assert.Equal(200, HttpHead.Status(await client.AskAsync("GET /app HTTP/1.1\r\nHost: example.test\r\n\r\n")));

        var warnings = balancer.Log.Lines.Where(line => line.Event == "RouteHidden").ToArray();
        if (hidden is null) Assert.Empty(warnings);
        else Assert.Contains(hidden, Assert.Single(warnings).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Lane.Raw, "http", "Pools:chat:HttpVersion", "Http2", "HttpVersion")]
    [InlineData(Lane.Raw, "https", "Transport:Tls", "Auto", null)]
    [InlineData(Lane.Portable, "http", "Pools:chat:Http", "Direct", "no raw lane")]
    [InlineData(Lane.Raw, "http", "Pools:chat:Http", "Direct", null)]
    public void At_the_start_a_line_says_why_a_pool_is_not_direct(Lane lane, string scheme, string key, string value, string? reason)
    {
        var settings = Direct($"{scheme}://127.0.0.1:1").With("Pools:chat:Match:PathPrefixes:0", "/chat").With(key, value);
        var balancer = Owned(Balancer.Start(lane, settings));

        var lines = balancer.Log.Lines.Where(line => line.Event == "PoolNotDirect").ToArray();

        if (reason is null) Assert.Empty(lines);
        else Assert.Contains(reason, Assert.Single(lines).Text, StringComparison.Ordinal);
    }

    private static LiveSettings Direct(string address) => Pool(address).With("Pools:chat:Http", "Direct");

    private static async Task AskAsync(RawClient client)
    {
        var head = await client.AskAsync(Get);
        Assert.Equal(200, HttpHead.Status(head));
        await client.ReadBodyAsync(head);
    }

    private sealed class Mapping : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            next(app);
            ((IEndpointRouteBuilder)app.Properties["__EndpointRouteBuilder"]!).MapGet("/chat/{room}", static () => "the app");
        };
    }
}
