using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

public sealed class HoldingTests : BalancerTest
{
    private const string Early = "GET /smuggled HTTP/1.1\r\nHost: example.test\r\n\r\n";

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Bytes_right_behind_the_head_wait_for_the_101_and_come_first(Lane lane)
    {
        var mayAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var early = 0;
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            var head = await backend.TakeHeadAsync(wire);
            await mayAnswer.Task;
            early = wire.Socket.Available;
            await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
            backend.GiveToTest(wire);
        });
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync(HttpHead.Handshake() + "first");
        await Wait.UntilAsync(() => backend.Heads.Count == 1);
        await client.WriteAsync(", second");
        mayAnswer.SetResult();
        var server = await backend.NextTunnelAsync();

        Assert.Equal("first, second", await server.ReadTextAsync(13));
        Assert.Equal(0, early);
        Assert.EndsWith("\r\n\r\n", backend.Heads.Single(), StringComparison.Ordinal);
        Assert.Equal(101, HttpHead.Status(await client.ReadHeadAsync()));
    }

    [Theory]
    [InlineData(Lane.Raw, 403)]
    [InlineData(Lane.RawEpoll, 403)]
    [InlineData(Lane.Portable, 403)]
    [InlineData(Lane.Raw, 200)]
    [InlineData(Lane.RawEpoll, 200)]
    [InlineData(Lane.Portable, 200)]
    [InlineData(Lane.KeptAlive, 403)]
    [InlineData(Lane.KeptAlive, 200)]
    [InlineData(Lane.InsideTls, 403)]
    [InlineData(Lane.SniffedInsideTls, 403)]
    public async Task Without_a_101_nothing_behind_the_head_is_forwarded_or_answered(Lane lane, int status)
    {
        await using var backend = RawBackend.Start(async (backend, wire) =>
        {
            await backend.TakeHeadAsync(wire);
            await wire.WriteAsync($"HTTP/1.1 {status} Whatever\r\nContent-Length: 2\r\n\r\nno");
            backend.GiveToTest(wire);
        });
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync(HttpHead.Handshake() + Early);

        var answer = await client.ReadHeadAsync();
        Assert.Equal(status, HttpHead.Status(answer));
        Assert.Equal("no", await client.ReadTextAsync(2));
        Assert.Equal("close", HttpHead.Value(answer, "Connection"));
        await client.WaitForEndAsync();
        var server = await backend.NextTunnelAsync();
        Assert.Equal("", await server.ReadTextToEndAsync());
        Assert.Equal(1, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Behind_a_refusal_of_the_balancers_own_the_connection_is_closed_too(Lane lane)
    {
        await using var backend = RawBackend.Answering(_ => "nonsense\r\n\r\n");
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        await client.WriteAsync(HttpHead.Handshake() + Early);

        var answer = await client.ReadHeadAsync();
        Assert.Equal(502, HttpHead.Status(answer));
        Assert.Equal("close", HttpHead.Value(answer, "Connection"));
        await client.ReadBodyAsync(answer);
        await client.WaitForEndAsync();
        Assert.Equal(1, backend.Connections);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_the_backend_sends_right_behind_its_101_comes_first(Lane lane)
    {
        await using var backend = RawBackend.Opening(firstBytes: "welcome");
        var balancer = Start(lane, backend.Address);
        var (client, server) = await OpenTunnelAsync(balancer, lane, backend);

        await server.WriteAsync(", and more");

        Assert.Equal("welcome, and more", await client.ReadTextAsync(17));
    }
}
