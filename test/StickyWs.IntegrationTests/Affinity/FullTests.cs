using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The backend that has the client's state has no room for one more tunnel.</summary>
public sealed class FullTests : AffinityTest
{
    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task Its_client_is_moved_or_where_clients_are_held_told_to_come_again(Lane lane)
    {
        var backends = await StartStatefulAsync(2);
        var key = RandomKey();
        LiveSettings Settings(string holdFor) => PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Cookie:Keys:0", key)
            .With("Pools:chat:Backends:a:MaxTunnels", "1").With("Pools:chat:Affinity:HoldFor", holdFor);
        var moving = Start(lane, Settings("00:00:00"));
        var holding = Start(lane, Settings("01:00:00"));
        foreach (var balancer in new[] { moving, holding })
        {
            await using var first = await balancer.ConnectAsync(lane);
            var answer = await first.AskAsync(HttpHead.Handshake());
            Assert.Equal("a", BackendOf(answer));

            var second = await ShakeAsync(balancer, lane, Sends(CookieOf(answer)));

            // A plain request takes no tunnel's place.
            Assert.Equal("a", BackendOf(await GetAsync(balancer, Sends(CookieOf(answer)))));
            if (balancer == holding)
            {
                Assert.Equal(503, HttpHead.Status(second));
                Assert.NotNull(HttpHead.Value(second, "Retry-After"));
                first.Reset();
                await Wait.UntilAsync(() => balancer.OpenTunnels == 0);
                Assert.Equal("a", await ReachAsync(balancer, lane, Sends(CookieOf(answer))));
            }
            else
            {
                Assert.Equal(101, HttpHead.Status(second));
                Assert.Equal(["b", "a"], [BackendOf(second), backends[1].Last["StickyWs-Moved-From"]]);
                Assert.NotNull(CookieOf(second));
            }
        }
    }
}
