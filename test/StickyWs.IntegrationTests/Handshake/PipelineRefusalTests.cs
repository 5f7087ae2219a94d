using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Handshake;

public sealed class PipelineRefusalTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_version_that_is_not_spoken_is_answered_with_the_one_that_is(Lane lane)
    {
        var answer = await AskAsync(lane, HttpHead.Handshake().Replace("Version: 13", "Version: 8", StringComparison.Ordinal));

        Assert.Equal(426, HttpHead.Status(answer));
        Assert.Equal("13", HttpHead.Value(answer, "Sec-WebSocket-Version"));
    }

    [Theory]
    [InlineData("Sec-WebSocket-Key: short\r\n")]
    [InlineData("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")]
    [InlineData("")]
    public async Task A_handshake_with_a_wrong_key_is_a_400(string keys)
    {
        foreach (var lane in Enum.GetValues<Lane>())
        {
            var handshake = HttpHead.Handshake().Replace($"Sec-WebSocket-Key: {HttpHead.Key}\r\n", keys, StringComparison.Ordinal);
            Assert.Equal(400, HttpHead.Status(await AskAsync(lane, handshake)));
        }
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_request_with_a_body_is_no_handshake_and_opens_no_tunnel(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        await using var client = await balancer.ConnectAsync(lane);

        var answer = await client.AskAsync(HttpHead.Handshake(headers: "Content-Length: 3\r\n") + "abc");

        Assert.NotEqual(101, HttpHead.Status(answer));
        Assert.All(backend.Heads, head => Assert.Null(HttpHead.Value(head, "Upgrade")));
        Assert.Empty(balancer.EndReasons);
    }

    private async Task<string> AskAsync(Lane lane, string handshake)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        await using var client = await balancer.ConnectAsync(lane);
        var answer = await client.AskAsync(handshake);
        Assert.Equal(0, backend.Connections);
        return answer;
    }
}
