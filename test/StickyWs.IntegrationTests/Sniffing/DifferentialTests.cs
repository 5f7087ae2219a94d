using System.Buffers;
using System.Text;
using StickyWs.Detection;
using StickyWs.Http1;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Sniffing;

public sealed class DifferentialTests : BalancerTest
{
    [Fact]
    public async Task The_sniffer_accepts_nothing_that_Kestrel_refuses()
    {
        await using var kestrel = await EchoBackend.StartAsync("kestrel");
        var refused = 0;
        foreach (var head in HandshakeCorpus.All)
        {
            var status = await AskAsync(kestrel, head);
            if (status is < 400 or >= 500) continue;
            refused++;
            Assert.True(Sniff(head) != Verdict.WebSocket, $"Kestrel answers {status}, the sniffer accepts: {head}");
        }

        Assert.InRange(refused, 20, HandshakeCorpus.Bad.Count);
    }

    [Fact]
    public void The_sniffer_takes_the_good_ones_and_leaves_all_others()
    {
        Assert.All(HandshakeCorpus.Good, head => Assert.Equal(Verdict.WebSocket, Sniff(head)));
        Assert.All(HandshakeCorpus.Bad, head => Assert.NotEqual(Verdict.WebSocket, Sniff(head)));
    }

    [Theory]
    [MemberData(nameof(FirstRequestAndTlsLanes))]
    public async Task What_the_sniffer_leaves_gets_the_answer_that_Kestrel_gives(Lane lane)
    {
        await using var kestrel = await EchoBackend.StartAsync("kestrel");
        var balancer = Start(lane, new LiveSettings().WithPool("elsewhere", "http://127.0.0.1:1").With("Pools:elsewhere:Match:Hosts:0", "elsewhere.test"));
        foreach (var head in HandshakeCorpus.Bad)
        {
            var expected = await AskAsync(kestrel, head);
            if (expected is < 400 or >= 500) continue;
            Assert.Equal(expected, await AskAsync(balancer.Address, head));
        }
    }

    private static Task<int> AskAsync(EchoBackend kestrel, string head) => AskAsync(new Uri(kestrel.Address), head);

    private static async Task<int> AskAsync(Uri address, string head)
    {
        await using var client = await RawClient.ConnectAsync(address);
        await client.WriteAsync(head);
        return HttpHead.Status(await client.ReadHeadAsync());
    }

    private static Verdict Sniff(string head) => new Sniffer(HeadLimits.Default).Sniff(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(head)), out _);
}
