using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>How long a pin lives behind its last use.</summary>
public sealed class LifetimeTests : AffinityTest
{
    private readonly JumpingTime _time = new();
    private int _sessions;

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task One_that_is_used_lives_on_and_one_that_is_not_is_forgotten(Lane lane)
    {
        var balancer = await StartAsync(lane);
        var login = await GetAsync(balancer, target: "/login");

        for (var i = 0; i < 4; i++)
        {
            _time.Jump(TimeSpan.FromMinutes(8));
            Assert.Equal(BackendOf(login), await ReachAsync(balancer, lane, Session(login)));
            Assert.Equal(BackendOf(login), BackendOf(await GetAsync(balancer, Session(login))));
        }

        await balancer.AssertNoLeasesAsync();
        _time.Jump(TimeSpan.FromMinutes(11));
        var names = new HashSet<string?>();
        for (var i = 0; i < 3; i++) names.Add(await ReachAsync(balancer, lane, Session(login)));
        Assert.Equal(3, names.Count);
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_client_whose_tunnel_outlived_its_pin_comes_back_to_its_backend(Lane lane)
    {
        var balancer = await StartAsync(lane);
        for (var i = 0; i < 3; i++)
        {
            var login = await GetAsync(balancer, target: "/login");
            await using var client = await balancer.ConnectAsync(lane);
            Assert.Equal(BackendOf(login), BackendOf(await client.AskAsync(HttpHead.Handshake(headers: Session(login)))));

            _time.Jump(TimeSpan.FromMinutes(60));
            Assert.Equal(1, balancer.OpenTunnels);
            client.Reset();
            await balancer.AssertNoLeasesAsync();

            for (var j = 0; j < 2; j++) Assert.Equal(BackendOf(login), await ReachAsync(balancer, lane, Session(login)));
            await balancer.AssertNoLeasesAsync();
        }
    }

    private static string Session(string login) => $"X-Session: {HttpHead.Value(login, "X-Session")}\r\n";

    private async Task<Balancer> StartAsync(Lane lane)
    {
        var backends = await StartStatefulAsync(3, context =>
        {
            if (context.Request.Path == "/login") context.Response.Headers["X-Session"] = $"session {Interlocked.Increment(ref _sessions)}";
            return Task.CompletedTask;
        });
        var settings = PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Learn:Header", "X-Session").With("Pools:chat:Affinity:PinLifetime", "00:10:00");
        return Start(lane, settings, services => services.AddSingleton<TimeProvider>(_time));
    }
}
