using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Draining;

public sealed class MaxAgeTests : DrainingTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_tunnel_that_is_as_old_as_it_may_be_ends(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, Impatient(Pool(backend.Address)).With("Pools:chat:Tunnels:MaxAge", "00:00:01"));
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await Task.WhenAll(SeeOutAsync(client), SeeOutAsync(server));

        await Wait.UntilAsync(() => balancer.EndReasons.Count == 1);
        Assert.Equal(["MaxAge"], balancer.EndReasons);
    }
}
