using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Affinity;

/// <summary>Direct pools with affinity: the pipeline's rules, without the pipeline.</summary>
public sealed class DirectTests : AffinityTest
{
    private const string Rule = "Pools:chat:Affinity:Rules:0:";

    private int _inPipeline;

    public static TheoryData<Lane> ReactorLanes { get; } = new(Lane.Raw, Lane.RawEpoll);

    /// <summary>The same rule set decides in both halves: each finds the backend that the other chose, and tells it the same pin.</summary>
    [Theory]
    [InlineData("Header:Name", "X-User")]
    [InlineData("Query:Name", "room")]
    [InlineData("PathSegment:Index", "1")]
    [InlineData("ClientAddress", "")]
    [InlineData("Cookie:Keys:0", "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDA=")]
    public async Task A_client_has_one_backend_and_one_pin_in_both_halves(string key, string value)
    {
        var backends = await StartStatefulAsync(4);
        LiveSettings Settings() => PoolOf(backends).With(Rule + key, value).With("TrustedProxies:0", "127.0.0.1/32");
        var direct = StartDirect(Lane.Raw, Settings());
        var pipeline = Start(Lane.Raw, Settings());
        var names = new HashSet<string?>();

        for (var i = 0; i < 40; i++)
        {
            var (headers, target) = ($"X-User: {i}\r\nX-Forwarded-For: 10.1.2.{i}\r\n", $"/rooms/{i}/x?a=b&room=no%20{i}");
            var first = await GetAsync(direct, headers, target);
            Assert.Equal(200, HttpHead.Status(first));
            if (CookieOf(first) is { } cookie) headers += Sends(cookie);
            var backend = backends.Single(backend => backend.Name == BackendOf(first));
            var pin = backend.Last["StickyWs-Pin"];
            names.Add(backend.Name);
            foreach (var half in new[] { pipeline, direct })
            {
                Assert.Equal(backend.Name, BackendOf(await GetAsync(half, headers, target)));
                Assert.Equal(pin, backend.Last["StickyWs-Pin"]);
            }
        }

        Assert.Equal(4, names.Count);
        Assert.Equal(0, _inPipeline);
    }

    [Theory]
    [MemberData(nameof(ReactorLanes))]
    [InlineData(Lane.RawTls)]
    [InlineData(Lane.RawTlsKept)]
    public async Task A_new_client_is_given_the_cookie_once_and_keeps_its_backend_on_any_connection(Lane lane)
    {
        var backends = await StartStatefulAsync(3, context =>
        {
            context.Response.Headers.Append("Set-Cookie", "a=1; Path=/");
            return Task.CompletedTask;
        });
        var balancer = StartDirect(lane, PoolOf(backends).With(Rule + "Cookie", "").With("Pools:chat:Affinity:RevealBackend", "true"));

        await using var client = await RawClient.ConnectAsync(balancer.Address);
        var first = await AskAsync(client, "");
        Assert.Equal("private", HttpHead.Value(first, "Cache-Control"));
        Assert.Equal(BackendOf(first), HttpHead.Value(first, "StickyWs-Backend"));
        Assert.Equal(["a=1; Path=/"], HttpHead.Values(first, "Set-Cookie").Where(cookie => !cookie.StartsWith("StickyWs=", StringComparison.Ordinal)));
        var parts = HttpHead.Values(first, "Set-Cookie").Single(cookie => cookie.StartsWith("StickyWs=", StringComparison.Ordinal)).Split("; ");
        string[] expected = lane.IsTls() ? ["httponly", "path=/", "samesite=lax", "secure"] : ["httponly", "path=/", "samesite=lax"];
        Assert.Equal(expected, parts.Skip(1).Order());
        for (var i = 0; i < 10; i++)
        {
            var again = i % 2 == 0 ? await AskAsync(client, Sends(CookieOf(first))) : await GetAsync(balancer, Sends(CookieOf(first)));
            Assert.Equal(BackendOf(first), BackendOf(again));
            Assert.Null(CookieOf(again));
            Assert.Null(HttpHead.Value(again, "Cache-Control"));
        }

        Assert.Equal(BackendOf(first), await ReachAsync(balancer, lane, Sends(CookieOf(first))));
        Assert.Equal(0, _inPipeline);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_a_backend_gave_leads_back_to_it(bool isCookie)
    {
        var backends = await StartStatefulAsync(3, context =>
        {
            if (context.Request.Path != "/login") return Task.CompletedTask;
            var session = Guid.NewGuid().ToString();
            context.Response.Headers["X-Session"] = session;
            context.Response.Headers.Append("Set-Cookie", "other=1");
            context.Response.Headers.Append("Set-Cookie", $"session={session}; Path=/");
            return Task.CompletedTask;
        });
        var balancer = StartDirect(Lane.Raw, PoolOf(backends).With(Rule + (isCookie ? "Learn:Cookie" : "Learn:Header"), isCookie ? "session" : "X-Session"));

        for (var i = 0; i < 6; i++)
        {
            var login = await GetAsync(balancer, target: "/login");
            var headers = isCookie ? Sends($"theme=dark; {CookieOf(login, "session")}") : $"X-Session: {HttpHead.Value(login, "X-Session")}\r\n";
            for (var j = 0; j < 4; j++) Assert.Equal(BackendOf(login), BackendOf(await GetAsync(balancer, headers)));
        }

        Assert.Equal(0, _inPipeline);
    }

    // The pipeline's rules do not see what the client disowns.
    [Fact]
    public async Task A_header_that_Connection_names_is_none_for_the_rules()
    {
        var backends = await StartStatefulAsync(4);
        var balancer = StartDirect(Lane.Raw, PoolOf(backends).With(Rule + "Header:Name", "X-User"));
        var names = new HashSet<string?>();

        for (var i = 0; i < 4; i++) names.Add(BackendOf(await GetAsync(balancer, "Connection: X-User\r\nX-User: one\r\n")));

        Assert.Equal(4, names.Count);
        Assert.Equal(4, _inPipeline);
    }

    [Fact]
    public async Task What_a_client_says_in_the_balancers_name_reaches_no_backend()
    {
        var backends = await StartStatefulAsync(1);
        var balancer = StartDirect(Lane.Raw, PoolOf(backends).With(Rule + "Header:Name", "X-User"));

        await GetAsync(balancer, "X-User: 1\r\nStickyWs-Pin: mine\r\nStickyWs_Pin: mine\r\nStickyWs-Moved-From: b\r\n");

        Assert.Matches("^[0-9a-f]{32}$", backends[0].Last["StickyWs-Pin"]);
        Assert.DoesNotContain(backends[0].Last, header => header.Value == "mine" || header.Key is "StickyWs-Moved-From" or "StickyWs_Pin");
    }

    [Fact]
    public async Task A_client_whose_backend_cannot_be_reached_is_moved_and_the_next_is_told_whose_it_was()
    {
        var backends = await StartStatefulAsync(3);
        var balancer = StartDirect(Lane.Raw, PoolOf(backends).With(Rule + "Cookie", ""));
        using var affinity = CountAffinity(balancer);
        var first = await GetAsync(balancer);
        var old = backends.Single(backend => backend.Name == BackendOf(first));
        var pin = old.Last["StickyWs-Pin"];
        await old.GoAsync();

        var moved = await GetAsync(balancer, Sends(CookieOf(first)));

        var now = backends.Single(backend => backend.Name == BackendOf(moved));
        Assert.Equal([old.Name, pin], [now.Last["StickyWs-Moved-From"], now.Last["StickyWs-Pin"]]);
        Assert.Equal(now.Name, BackendOf(await GetAsync(balancer, Sends(CookieOf(moved)))));
        Assert.False(now.Last.ContainsKey("StickyWs-Moved-From"));
        Assert.Equal(["new", "moved", "kept"], OutcomesOf(affinity));
        Assert.Equal(0, _inPipeline);
    }

    [Fact]
    public async Task A_client_that_is_held_gets_503_and_when_to_come_again()
    {
        var backends = await StartStatefulAsync(3);
        var balancer = StartDirect(Lane.Raw, PoolOf(backends).With(Rule + "Cookie", "").With("Pools:chat:Affinity:HoldFor", "01:00:00")
            .With("Pools:chat:Affinity:HoldWhenRefused", "true").With("Pools:chat:RetryAfter", "00:00:07"));
        using var affinity = CountAffinity(balancer);
        var first = await GetAsync(balancer);
        var old = backends.Single(backend => backend.Name == BackendOf(first));
        await old.GoAsync();

        for (var i = 0; i < 2; i++)
        {
            var held = await GetAsync(balancer, Sends(CookieOf(first)));
            Assert.Equal(503, HttpHead.Status(held));
            Assert.InRange(HttpHead.RetryAfter(held), 7, 14);
        }

        await old.ReturnAsync();
        Assert.Equal(old.Name, BackendOf(await GetAsync(balancer, Sends(CookieOf(first)))));
        Assert.Equal(["new", "held", "held", "kept"], OutcomesOf(affinity));
        Assert.Equal(0, _inPipeline);
    }

    // The answer to a negotiation is read by the pipeline; what follows it on other connections is direct again.
    [Theory]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task A_SignalR_client_stays_with_the_backend_that_it_negotiated_with(HttpTransportType transport)
    {
        var backends = new[] { Owned(await HubBackend.StartAsync("a")), Owned(await HubBackend.StartAsync("b")), Owned(await HubBackend.StartAsync("c")) };
        var balancer = StartDirect(Lane.Raw, Pool([.. backends.Select(backend => backend.Address)]).With(Rule + "SignalR", ""));

        for (var i = 0; i < 6; i++)
        {
            await using var connection = HubBackend.Connect(transport, () => balancer.Address);
            await connection.StartAsync(Wait.Token());
            var first = await connection.InvokeAsync<string>("Name", Wait.Token());
            for (var j = 0; j < 3; j++) Assert.Equal(first, await connection.InvokeAsync<string>("Name", Wait.Token()));
            await connection.StopAsync(Wait.Token());
        }

        Assert.InRange(_inPipeline, 6, int.MaxValue);
        var advice = Assert.Single(balancer.Log.Lines, line => line.Event == "PoolNotDirect");
        Assert.Contains("negotiate", advice.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Learn:Header", "X-Session", true)]
    [InlineData("Header:Name", "X-User", false)]
    public async Task A_pool_that_learns_into_a_shared_store_is_left_to_the_pipeline(string key, string value, bool isLeft)
    {
        var store = await StartStoreAsync(StoreKind.Memory);
        var balancer = StartDirect(Lane.Raw, PoolOf(await StartStatefulAsync(2)).With(Rule + key, value), store.AddTo);

        Assert.Equal(200, HttpHead.Status(await GetAsync(balancer, "X-User: 1\r\n")));

        Assert.Equal(isLeft ? 1 : 0, _inPipeline);
        var advice = balancer.Log.Lines.Where(line => line.Event == "PoolNotDirect").ToArray();
        if (isLeft) Assert.Contains("shared store", Assert.Single(advice).Text, StringComparison.Ordinal);
        else Assert.Empty(advice);
    }

    private static async Task<string> AskAsync(RawClient client, string headers)
    {
        var head = await client.AskAsync($"GET / HTTP/1.1\r\nHost: example.test\r\n{headers}\r\n");
        await client.ReadBodyAsync(head);
        return head;
    }

    private Balancer StartDirect(Lane lane, LiveSettings settings, Action<IServiceCollection>? configure = null)
        => Start(lane, settings.With("Pools:chat:Http", "Direct"), services =>
        {
            services.AddSingleton<IStartupFilter>(new Counting(() => Interlocked.Increment(ref _inPipeline)));
            configure?.Invoke(services);
        });

    private sealed class Counting(Action count) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(next => context =>
            {
                count();
                return next(context);
            });
            next(app);
        };
    }
}
