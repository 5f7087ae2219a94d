using Microsoft.Extensions.Logging;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Handshake;

/// <summary>Rules of the handshake that Kestrel alone would not keep.</summary>
public sealed class PipelineRuleTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task An_upgrade_in_HTTP_1_0_is_a_plain_request(Lane lane)
    {
        await using var backend = RawBackend.Answering(_ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake().Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal));

        Assert.Equal(200, HttpHead.Status(answer));
        Assert.Null(HttpHead.Value(Assert.Single(backend.Heads), "Upgrade"));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task An_absolute_target_of_a_handshake_arrives_in_origin_form_and_as_it_was_written(Lane lane)
    {
        await using var backend = RawBackend.Opening();
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);
        var scheme = lane.IsTls() ? "https" : "http";

        var answer = await client.AskAsync(HttpHead.Handshake($"{scheme}://example.test/a%2Fb/./c%252Fd?q=%2F"));

        Assert.Equal(101, HttpHead.Status(answer));
        Assert.Equal("GET /a%2Fb/./c%252Fd?q=%2F HTTP/1.1", HttpHead.FirstLine(Assert.Single(backend.Heads)));
    }

    [Theory]
    [InlineData(204, "Content-Length: 5\r\n\r\n")]
    [InlineData(205, "Content-Length: 5\r\n\r\nhello")]
    [InlineData(205, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    public async Task A_declining_answer_whose_status_rules_content_out_is_nobodys_defect(int status, string rest)
    {
        foreach (var lane in Enum.GetValues<Lane>())
        {
            await using var backend = RawBackend.Answering(_ => $"HTTP/1.1 {status} Empty\r\n{rest}");
            var balancer = Start(lane, backend.Address);
            var client = await ConnectAsync(balancer, lane);

            var answer = await client.AskAsync(HttpHead.Handshake());

            Assert.Equal(status, HttpHead.Status(answer));
            await client.WaitForEndAsync();
            Assert.DoesNotContain(balancer.Log.Lines, line => line.Level >= LogLevel.Error);
        }
    }
}
