using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Handshake;

/// <summary><c>WebSockets: Pipeline</c>: a handshake passes what the application has in front of the balancer.</summary>
public sealed class PipelineModeTests : BalancerTest
{
    private const string Mode = "Pools:chat:WebSockets";

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task The_applications_middleware_decides_on_a_handshake(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = StartGuarded(lane, Pool(backend.Address).With(Mode, "Pipeline"));
        await using var stranger = await balancer.ConnectAsync(lane);
        await using var member = await balancer.ConnectAsync(lane);

        var refused = await stranger.AskAsync(HttpHead.Handshake());
        Assert.Equal(401, HttpHead.Status(refused));
        Assert.Equal(0, backend.Connections);

        Assert.Equal(101, HttpHead.Status(await member.AskAsync(HttpHead.Handshake(headers: "Authorization: Bearer t\r\n"))));
        var server = await backend.NextTunnelAsync();
        await member.WriteAsync("hello");
        Assert.Equal("hello", await server.ReadTextAsync(5));
        await server.WriteAsync("you too");
        Assert.Equal("you too", await member.ReadTextAsync(7));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Without_the_option_a_sniffed_handshake_passes_by_and_the_others_do_not(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = StartGuarded(lane, Pool(backend.Address));
        await using var stranger = await balancer.ConnectAsync(lane);

        Assert.Equal(lane.IsSniffed() ? 101 : 401, HttpHead.Status(await stranger.AskAsync(HttpHead.Handshake())));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task The_option_is_the_pools_own(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var settings = Pool(backend.Address).WithPool("open", backend.Address).With(Mode, "Pipeline").With("Pools:open:Match:PathPrefixes:0", "/open");
        var balancer = StartGuarded(lane, settings);
        await using var one = await balancer.ConnectAsync(lane);
        await using var other = await balancer.ConnectAsync(lane);

        Assert.Equal(401, HttpHead.Status(await one.AskAsync(HttpHead.Handshake("/closed"))));
        Assert.Equal(101, HttpHead.Status(await other.AskAsync(HttpHead.Handshake("/open"))));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task The_option_is_followed_while_the_balancer_runs(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = StartGuarded(lane, Pool(backend.Address));
        await using var before = await balancer.ConnectAsync(lane);
        Assert.Equal(101, HttpHead.Status(await before.AskAsync(HttpHead.Handshake())));
        var server = await backend.NextTunnelAsync();

        balancer.Settings.Change(data => data["StickyWs:" + Mode] = "Pipeline");
        await Wait.UntilAsync(() => balancer.Registry.Current.Pools.Single().Options.WebSockets == StickyWs.Configuration.WebSocketMode.Pipeline);

        await using var after = await balancer.ConnectAsync(lane);
        Assert.Equal(401, HttpHead.Status(await after.AskAsync(HttpHead.Handshake())));
        await before.WriteAsync("still here");
        Assert.Equal("still here", await server.ReadTextAsync(10));
    }

    // The application's own endpoint wins in the pipeline, as it does for every other request there.
    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task An_endpoint_of_the_application_wins_over_the_pool(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With(Mode, "Pipeline"));
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake("/app"));

        Assert.Equal(200, HttpHead.Status(answer));
        Assert.Equal(TestBalancer.AppAnswer, await client.ReadBodyAsync(answer));
        Assert.Equal(0, backend.Connections);
    }

    private Balancer StartGuarded(Lane lane, LiveSettings settings)
        => Owned(Balancer.Start(lane, settings, builder => builder.ConfigureServices(services => services.AddSingleton<IStartupFilter, Guard>())));

    // As an application's authentication would: who brings no token goes no further than /app.
    private sealed class Guard : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (context, proceed) =>
            {
                if (context.Request.Path == "/app" || context.Request.Headers.Authorization == "Bearer t") await proceed(context);
                else context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            });
            next(app);
        };
    }
}
