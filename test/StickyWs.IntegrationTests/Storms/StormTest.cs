using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Storms;

/// <summary>Tests of backends that take only so much at a time.</summary>
public abstract class StormTest : BalancerTest
{
    /// <summary>How many wait for a place in the balancer's only pool.</summary>
    protected static int Waiting(Balancer balancer)
    {
        var lines = Assert.Single(balancer.Registry.Current.Pools).Lines;
        return lines.Handshakes.Count + lines.Requests.Count;
    }

    protected static void AssertNothingHeld(Balancer balancer)
        => Assert.All(balancer.Registry.Current.Pools.SelectMany(pool => pool.Backends), backend => Assert.Equal(0, backend.ActiveHandshakes));

    /// <summary>It is a 503 with the text for those who found no place, and the pool's 5 s, or more, as <c>Retry-After</c>.</summary>
    protected static async Task AssertBusyAsync(RawClient client, string answer)
    {
        Assert.Equal(503, HttpHead.Status(answer));
        Assert.InRange(HttpHead.RetryAfter(answer), 5, 10);
        Assert.Equal("503 Service Unavailable: Too many are on their way to the backends. Try again shortly.\n", await client.ReadBodyAsync(answer));
    }

    /// <summary>Sends a handshake and leaves the answer to the test.</summary>
    protected async Task<RawClient> KnockAsync(Balancer balancer, Lane lane, string target = "/")
    {
        var client = await ConnectAsync(balancer, lane);
        await client.WriteAsync(HttpHead.Handshake(target));
        return client;
    }
}
