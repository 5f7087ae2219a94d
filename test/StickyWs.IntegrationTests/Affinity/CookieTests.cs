using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

public sealed class CookieTests : AffinityTest
{
    private const string Rule = "Pools:chat:Affinity:Rules:0:Cookie";

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_new_client_is_given_a_cookie_with_its_101(Lane lane)
    {
        var balancer = Start(lane, PoolOf(await StartEchoesAsync(3)).With(Rule, ""));

        var answer = await ShakeAsync(balancer, lane);

        Assert.Equal(101, HttpHead.Status(answer));
        AssertPlainCookie(answer, lane.IsTls());
        Assert.Equal(BackendOf(answer), await ReachAsync(balancer, lane, Sends(CookieOf(answer))));
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_new_client_is_given_a_cookie_with_a_plain_answer(Lane lane)
    {
        var balancer = Start(lane, PoolOf(await StartEchoesAsync(3)).With(Rule, ""));

        var answer = await GetAsync(balancer);

        Assert.Equal(200, HttpHead.Status(answer));
        AssertPlainCookie(answer, lane.IsTls());
        for (var i = 0; i < 10; i++) Assert.Equal(BackendOf(answer), BackendOf(await GetAsync(balancer, Sends(CookieOf(answer)))));
    }

    [Fact]
    public async Task Over_HTTP2_a_WebSocket_and_a_plain_answer_bring_the_cookie_and_take_it()
    {
        var balancer = Start(Lane.InsideTls, PoolOf(await StartEchoesAsync(3)).With(Rule, ""));
        using var handler = new SocketsHttpHandler
        {
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true }
        };
        using var client = new HttpClient(handler)
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact
        };
        using var first = await OpenOverHttp2Async(balancer, client, null);
        var cookie = Assert.Single(first.HttpResponseHeaders!["Set-Cookie"]);
        var backend = first.HttpResponseHeaders["X-Backend"].Single();
        Assert.Contains("; secure", cookie, StringComparison.Ordinal);
        first.Abort();

        for (var i = 0; i < 10; i++)
        {
            using var again = await OpenOverHttp2Async(balancer, client, cookie.Split(';')[0]);
            Assert.Equal(backend, again.HttpResponseHeaders!["X-Backend"].Single());
            Assert.False(again.HttpResponseHeaders.ContainsKey("Set-Cookie"));
            again.Abort();
            using var request = new HttpRequestMessage(HttpMethod.Get, balancer.Address)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact
            };
            request.Headers.Add("Cookie", ["a=b", cookie.Split(';')[0]]);
            using var plain = await client.SendAsync(request, Wait.Token());
            Assert.Equal(backend, plain.Headers.GetValues("X-Backend").Single());
        }

        using var stranger = await client.GetAsync(balancer.Address, Wait.Token());
        Assert.StartsWith("StickyWs=", Assert.Single(stranger.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_client_that_drops_and_comes_back_to_any_instance_has_its_backend_a_thousand_times_of_a_thousand(Lane lane)
    {
        var settings = PoolOf(await StartEchoesAsync(3)).With(Rule + ":Keys:0", RandomKey());
        var instances = new[] { Start(lane, settings), Start(lane, settings) };
        var clients = new List<(string Backend, string Cookie)>();
        for (var i = 0; i < 10; i++)
        {
            var answer = await ShakeAsync(instances[i % 2], lane);
            clients.Add((BackendOf(answer)!, CookieOf(answer)!));
        }

        var elsewhere = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var (backend, cookie) = clients[i % 10];
            var answer = await ShakeAsync(instances[i / 10 % 2], lane, Sends(cookie));
            if (HttpHead.Status(answer) != 101 || BackendOf(answer) != backend || CookieOf(answer) is not null) elsewhere.Add(answer);
        });

        Assert.Equal(3, clients.DistinctBy(client => client.Backend).Count());
        Assert.Empty(elsewhere);
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task A_handshake_that_is_declined_brings_the_cookie_too(Lane lane)
    {
        var backends = await StartStatefulAsync(3, context =>
        {
            if (context.Request.Path == "/members") context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        var balancer = Start(lane, PoolOf(backends).With(Rule, ""));

        var answer = await ShakeAsync(balancer, lane, target: "/members");

        Assert.Equal(403, HttpHead.Status(answer));
        Assert.Equal("private", HttpHead.Value(answer, "Cache-Control"));
        var asked = backends.Single(backend => backend.Requests.Count == 1);
        for (var i = 0; i < 5; i++) Assert.Equal(asked.Name, await ReachAsync(balancer, lane, Sends(CookieOf(answer))));
    }

    [Theory]
    [MemberData(nameof(ChoosingLanes))]
    public async Task The_backends_own_cookies_pass_beside_it(Lane lane)
    {
        var backends = await StartStatefulAsync(2, context =>
        {
            context.Response.Headers.Append("Set-Cookie", "a=1; Path=/");
            context.Response.Headers.Append("Set-Cookie", "b=2");
            return Task.CompletedTask;
        });
        var balancer = Start(lane, PoolOf(backends).With(Rule, ""));

        foreach (var answer in new[] { await ShakeAsync(balancer, lane), await GetAsync(balancer) })
        {
            var cookies = HttpHead.Values(answer, "Set-Cookie");
            Assert.Equal(3, cookies.Count);
            Assert.Contains("a=1; Path=/", cookies);
            Assert.Contains("b=2", cookies);
            Assert.NotNull(CookieOf(answer));
        }
    }

    [Theory]
    [MemberData(nameof(FirstRequestLanes))]
    public async Task It_has_the_attributes_that_the_pool_wants(Lane lane)
    {
        var settings = PoolOf(await StartEchoesAsync(1)).With(Rule + ":Name", "Seat").With(Rule + ":Path", "/chat")
            .With(Rule + ":Domain", "example.test").With(Rule + ":Lifetime", "02:00:00")
            .With(Rule + ":HttpOnly", "false").With(Rule + ":SameSite", "None").With(Rule + ":Secure", "Always").With(Rule + ":Partitioned", "true");
        var balancer = Start(lane, settings);

        foreach (var answer in new[] { await ShakeAsync(balancer, lane), await GetAsync(balancer) })
        {
            var parts = Assert.Single(HttpHead.Values(answer, "Set-Cookie")).Split("; ");
            Assert.StartsWith("Seat=", parts[0], StringComparison.Ordinal);
            Assert.Equal(["Partitioned", "domain=example.test", "max-age=7200", "path=/chat", "samesite=none", "secure"],
                parts.Skip(1).Order(StringComparer.Ordinal));
        }
    }

    private static void AssertPlainCookie(string answer, bool isSecure)
    {
        var parts = Assert.Single(HttpHead.Values(answer, "Set-Cookie")).Split("; ");
        Assert.StartsWith("StickyWs=", parts[0], StringComparison.Ordinal);
        string[] expected = isSecure ? ["httponly", "path=/", "samesite=lax", "secure"] : ["httponly", "path=/", "samesite=lax"];
        Assert.Equal(expected, parts.Skip(1).Order());
    }

    private static async Task<ClientWebSocket> OpenOverHttp2Async(Balancer balancer, HttpMessageInvoker invoker, string? cookie)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        if (cookie is not null) socket.Options.SetRequestHeader("Cookie", cookie);
        await socket.ConnectAsync(new Uri($"wss://{balancer.Address.Authority}/"), invoker, Wait.Token());
        return socket;
    }
}
