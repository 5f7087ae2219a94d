using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Failure;

public sealed class LimitTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_full_backend_is_passed_over_and_when_all_are_full_it_is_a_503(Lane lane)
    {
        var backends = await StartEchoesAsync(2);
        var balancer = Start(lane, Pool(backends[0].Address, backends[1].Address)
            .With("Pools:chat:Backends:a:MaxTunnels", "1").With("Pools:chat:Backends:b:MaxTunnels", "2").With("Pools:chat:RetryAfter", "00:00:03"));
        for (var i = 0; i < 3; i++) Assert.Equal(101, HttpHead.Status(await (await ConnectAsync(balancer, lane)).AskAsync(HttpHead.Handshake())));
        await Wait.UntilAsync(() => backends[0].WebSockets == 1 && backends[1].WebSockets == 2);

        await AssertFullAsync(balancer, lane, 3);
        Assert.Equal(3, balancer.OpenTunnels);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Past_the_limit_of_the_process_it_is_a_503_until_a_tunnel_ends(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Pool(backend.Address).With("MaxTunnels", "1"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);
        await AssertFullAsync(balancer, lane, 5);

        await client.FinishAsync();
        await server.FinishAsync();
        await Wait.UntilAsync(() => balancer.OpenTunnels == 0);
        await OpenTunnelAsync(balancer, lane, backend);
    }

    private async Task AssertFullAsync(Balancer balancer, Lane lane, int retryAfter)
    {
        var client = await ConnectAsync(balancer, lane);
        var answer = await client.AskAsync(HttpHead.Handshake());
        Assert.Equal(503, HttpHead.Status(answer));
        Assert.InRange(HttpHead.RetryAfter(answer), retryAfter, 2 * retryAfter);
        Assert.Equal("503 Service Unavailable: The limit of open WebSockets is reached.\n", await client.ReadBodyAsync(answer));
    }
}
