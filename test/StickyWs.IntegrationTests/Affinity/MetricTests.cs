using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary><c>stickyws.affinity</c> beside what <see cref="AwayTests"/> show of it: clients that are moved and held.</summary>
public sealed class MetricTests : AffinityTest
{
    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_hashed_key_is_new_once_and_kept_from_then_on(Lane lane)
    {
        var balancer = Start(lane, PoolOf(await StartEchoesAsync(3)).With("Pools:chat:Affinity:Rules:0:Header:Name", "X-User"));
        using var affinity = CountAffinity(balancer);

        await ReachAsync(balancer, lane, "X-User: one\r\n");
        await GetAsync(balancer, "X-User: one\r\n");
        await GetAsync(balancer, "X-User: two\r\n");
        await GetAsync(balancer);
        await ReachAsync(balancer, lane, "X-User: two\r\n");

        Assert.Equal(["new", "kept", "new", "new", "kept"], OutcomesOf(affinity));
        Assert.All(affinity.GetMeasurementSnapshot(), measurement => Assert.Equal("chat", measurement.Tags["stickyws.pool"]));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_session_is_new_where_it_is_learnt_and_kept_from_then_on(Lane lane)
    {
        var backends = await StartStatefulAsync(3, context =>
        {
            if (context.Request.Path == "/login") context.Response.Headers["X-Session"] = "0123456789";
            return Task.CompletedTask;
        });
        var balancer = Start(lane, PoolOf(backends).With("Pools:chat:Affinity:Rules:0:Learn:Header", "X-Session"));
        using var affinity = CountAffinity(balancer);

        await ReachAsync(balancer, lane, target: "/login");
        await GetAsync(balancer, "X-Session: 0123456789\r\n");
        await ReachAsync(balancer, lane, "X-Session: 0123456789\r\n");

        Assert.Equal(["new", "kept", "kept"], OutcomesOf(affinity));
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task A_pool_without_rules_counts_nothing(Lane lane)
    {
        var balancer = Start(lane, PoolOf(await StartEchoesAsync(1)));
        using var affinity = CountAffinity(balancer);

        await ReachAsync(balancer, lane);
        await GetAsync(balancer);

        Assert.Empty(OutcomesOf(affinity));
    }
}
