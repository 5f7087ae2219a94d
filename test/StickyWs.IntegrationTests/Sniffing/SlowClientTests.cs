using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Sniffing;

public sealed class SlowClientTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(SniffedLanes))]
    public async Task A_client_that_sends_part_of_a_head_is_told_so_at_the_deadline(Lane lane)
    {
        var balancer = StartWithDeadline(lane);
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync("GET / HTTP/1.1\r\nHost: exam");

        var answer = await client.ReadHeadAsync();
        Assert.Equal(408, HttpHead.Status(answer));
        Assert.Equal("408 Request Timeout: The request head did not arrive in time.\n", await client.ReadBodyAsync(answer));
        Assert.True(await client.EndsInOrderAsync());
    }

    [Theory]
    [MemberData(nameof(SniffedLanes))]
    public async Task A_silent_client_is_closed_without_a_word(Lane lane)
    {
        var balancer = StartWithDeadline(lane);
        var client = await ConnectAsync(balancer, lane);

        Assert.Equal("", await client.ReadTextToEndAsync());
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_client_that_goes_within_its_head_leaves_no_error_behind(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        foreach (var part in new[] { "", "G", "GET / HTTP/1.1\r\nHost: a\r\nUpgr" })
        {
            for (var i = 0; i < 20; i++)
            {
                await using var reset = await balancer.ConnectAsync(lane);
                if (part.Length > 0) await reset.WriteAsync(part);
                reset.Reset();
                await using var finished = await balancer.ConnectAsync(lane);
                if (part.Length > 0) await finished.WriteAsync(part);
                await finished.FinishAsync();
                await finished.WaitForEndAsync();
            }
        }

        Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Theory]
    [MemberData(nameof(SniffedLanes))]
    public async Task A_handshake_may_come_byte_by_byte(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        foreach (var letter in HttpHead.Handshake()) await client.WriteAsync(letter.ToString());

        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
        Assert.Single(backend.Heads);
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task A_handshake_may_be_split_anywhere(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var handshake = HttpHead.Handshake("/a?b", "Cookie: a=b\r\n");
        for (var split = 1; split < handshake.Length; split++)
        {
            await using var client = await balancer.ConnectAsync(lane);
            await client.WriteAsync(handshake[..split]);
            await Wait.UntilAsync(() => SentQueue.IsEmpty(client.Socket));
            await client.WriteAsync(handshake[split..] + "behind");
            Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
            var server = await backend.NextTunnelAsync();
            Assert.Equal("behind", await server.ReadTextAsync(6));
        }
    }

    private Balancer StartWithDeadline(Lane lane) => Start(lane, Pool("http://127.0.0.1:1").With("HeadDeadline", "00:00:00.2"));
}
