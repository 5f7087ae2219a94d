using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Failure;

/// <summary>A declined handshake whose answer has no end, and clients that do not read it.</summary>
public sealed class UnreadAnswerTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task An_answer_is_not_read_on_when_the_client_is_gone(Lane lane)
    {
        var backend = Owned(Endless());
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        await client.AskAsync(HttpHead.Handshake());
        client.Reset();

        await balancer.AssertNoLeasesAsync();
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_does_not_read_its_answer_holds_no_backend(Lane lane)
    {
        var backend = Owned(Endless());
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Timeouts:Activity", "00:00:00.5"));
        var client = await ConnectAsync(balancer, lane);

        await client.AskAsync(HttpHead.Handshake());

        await balancer.AssertNoLeasesAsync();
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_client_that_leaves_during_its_handshake_holds_no_backend(Lane lane)
    {
        var backend = Owned(RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            await Task.Delay(Timeout.Infinite);
        }));
        var balancer = Start(lane, Pool(backend.Address).With("Pools:chat:Timeouts:Handshake", "00:10:00"));
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync(HttpHead.Handshake());
        await Wait.UntilAsync(() => backend.Connections == 1);
        client.Reset();

        await balancer.AssertNoLeasesAsync();
    }

    private static RawBackend Endless() => RawBackend.Start(async (backend, wire) =>
    {
        await backend.TakeHeadAsync(wire);
        await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
        var piece = new byte[64 * 1024];
        while (true) await wire.WriteAsync(piece);
    });
}
