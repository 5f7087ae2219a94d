using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>The headers by which the balancer speaks: no client can say them, and no client is told more than the pool wants.</summary>
public sealed class OwnHeaderTests : AffinityTest
{
    private const string Rules = "Pools:chat:Affinity:Rules:";
    private static readonly string[] Names =
        ["StickyWs-Pin", "StickyWs_Pin", "StickyWs-Moved-From", "StickyWs_Moved_From", "stickyws-pin", "STICKYWS-BACKEND", "StickyWs-Anything"];

    /// <summary>Every lane and plain requests, in pools with a rule, without one, and with a rule that does not know the client.</summary>
    public static MatrixTheoryData<Lane?, string> WaysAndRules { get; } = new(Ways, ["", "0:Cookie", "0:SignalR"]);

    public static MatrixTheoryData<Lane?, bool> WaysAndWishes { get; } = new(Ways, [true, false]);

    public static TheoryData<Lane?> EveryWay { get; } = new(Ways);

    [Theory]
    [MemberData(nameof(WaysAndRules))]
    public async Task What_a_client_says_in_their_names_reaches_no_backend(Lane? lane, string rule)
    {
        var backends = await StartStatefulAsync(1);
        var balancer = Start(lane ?? Lane.Raw, rule.Length == 0 ? PoolOf(backends) : PoolOf(backends).With(Rules + rule, ""));

        Assert.InRange(HttpHead.Status(await AskAsync(balancer, lane,
            string.Concat(Names.Select(name => $"{name}: forged\r\n")) + "X-Other: passes\r\n")), 101, 200);

        var seen = backends[0].Last;
        Assert.Equal("passes", seen["X-Other"]);
        AssertNotForged(seen, hasPin: rule == "0:Cookie");
    }

    [Theory]
    [InlineData("StickyWs-(")]
    [InlineData("StickyWs-Pin@")]
    public async Task One_whose_name_is_no_token_costs_nobody_an_answer(string name)
    {
        var backends = await StartStatefulAsync(1);
        var balancer = Start(Lane.Raw, PoolOf(backends));

        var status = HttpHead.Status(await GetAsync(balancer, $"{name}: forged\r\n"));

        Assert.True(status is 200 or 400, $"{status}");
        Assert.All(backends[0].Requests, request => Assert.DoesNotContain(name, request.Keys));
    }

    [Fact]
    public async Task Nor_does_it_over_HTTP2()
    {
        var backends = await StartStatefulAsync(1);
        var balancer = Start(Lane.InsideTls, PoolOf(backends).With(Rules + "0:Cookie", ""));
        using var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true }
        };
        using var client = new HttpClient(handler);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var request = new HttpRequestMessage(HttpMethod.Get, balancer.Address)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        foreach (var name in Names.DistinctBy(name => name.ToUpperInvariant()))
        {
            socket.Options.SetRequestHeader(name, "forged");
            request.Headers.TryAddWithoutValidation(name, "forged");
        }

        await socket.ConnectAsync(new Uri($"wss://{balancer.Address.Authority}/"), client, Wait.Token());
        AssertNotForged(backends[0].Last, hasPin: true);
        using var answer = await client.SendAsync(request, Wait.Token());
        AssertNotForged(backends[0].Last, hasPin: true);
        Assert.Equal(2, backends[0].Requests.Count);
    }

    [Theory]
    [MemberData(nameof(WaysAndWishes))]
    public async Task A_client_is_told_its_backend_when_the_pool_wants_so_and_not_otherwise(Lane? lane, bool isWanted)
    {
        var backends = await StartStatefulAsync(3);
        var settings = PoolOf(backends).With(Rules + "0:Cookie", "").With("Pools:chat:Affinity:RevealBackend", isWanted ? "true" : "false");
        var balancer = Start(lane ?? Lane.Raw, settings);

        for (var i = 0; i < 3; i++)
        {
            var answer = await AskAsync(balancer, lane);
            Assert.Equal(isWanted ? [BackendOf(answer)!] : [], HttpHead.Values(answer, "StickyWs-Backend"));
        }
    }

    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task A_backend_that_says_it_too_does_not_speak_for_the_balancer(Lane? lane)
    {
        var backends = await StartStatefulAsync(1, context =>
        {
            context.Response.Headers["StickyWs-Backend"] = "made-up";
            return Task.CompletedTask;
        });
        var balancer = Start(lane ?? Lane.Raw, PoolOf(backends).With(Rules + "0:Cookie", "").With("Pools:chat:Affinity:RevealBackend", "true"));

        var answer = await AskAsync(balancer, lane);

        Assert.Equal(["a"], HttpHead.Values(answer, "StickyWs-Backend"));
        Assert.NotNull(CookieOf(answer));
    }

    private static void AssertNotForged(IReadOnlyDictionary<string, string> seen, bool hasPin)
    {
        Assert.DoesNotContain("forged", seen.Values);
        Assert.Equal(hasPin ? ["StickyWs-Pin"] : [], seen.Keys.Where(name => name.StartsWith("StickyWs", StringComparison.OrdinalIgnoreCase)));
        if (hasPin) Assert.Matches("^[0-9a-f]{32}$", seen["StickyWs-Pin"]);
    }
}
