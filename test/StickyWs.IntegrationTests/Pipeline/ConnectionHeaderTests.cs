using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>A client's Connection names what the client itself sent, and nothing that anybody else adds on the way.</summary>
public sealed class ConnectionHeaderTests
{
    public static TheoryData<Way> Http1Pipeline { get; } = new(Way.Http1, Way.Tls, Way.KeptAlive, Way.TlsHandshake);

    [Theory]
    [MemberData(nameof(Http1Pipeline))]
    public async Task A_client_cannot_take_away_what_the_application_says_of_it(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            app => app.Use((context, next) =>
            {
                context.Request.Headers["X-User"] = "alice";
                if (!context.Request.Headers.ContainsKey("X-Role")) context.Request.Headers["X-Role"] = "reader";
                context.Request.Headers.Append("X-Groups", "staff");
                return next(context);
            }),
            backend.Address);

        foreach (var own in new[] { "", "X-User: alice\r\nX-Role: admin\r\nX-Groups: admins\r\n" })
        {
            var answer = await host.AskAsync(way, headers: AppHost.Naming(way, "X-User, x-role,X-Groups") + own);
            Assert.InRange(HttpHead.Status(answer), 101, 200);
            var seen = backend.Heads[^1];
            Assert.Equal(["alice"], HttpHead.Values(seen, "X-User"));
            Assert.Equal(["reader"], HttpHead.Values(seen, "X-Role"));
            Assert.Equal(["staff"], HttpHead.Values(seen, "X-Groups"));
        }
    }

    [Theory]
    [MemberData(nameof(AppHost.Http1Ways), MemberType = typeof(AppHost))]
    public async Task What_the_client_sent_and_named_goes_no_further_than_us(Way way)
    {
        await using var backend = Backend.Answering();
        string? seenByApp = null;
        await using var host = await AppHost.StartAsync(
            app => app.Use((context, next) =>
            {
                seenByApp = string.Concat(context.Request.Headers.Select(header => $"\r\n{header.Key}: {header.Value}"));
                return next(context);
            }),
            backend.Address);

        await host.AskAsync(way, headers: AppHost.Naming(way, "X-Hop,,Keep-Alive, TE, Proxy-Connection")
            + "X-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nX-End: 2\r\n");

        var seen = Assert.Single(backend.Heads);
        foreach (var name in new[] { "X-Hop", "Keep-Alive", "TE", "Proxy-Connection" }) Assert.Empty(HttpHead.Values(seen, name));
        Assert.Equal(["2"], HttpHead.Values(seen, "X-End"));
        if (way != Way.Sniffed) Assert.DoesNotContain("X-Hop", seenByApp, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AppHost.Http1Ways), MemberType = typeof(AppHost))]
    public async Task What_proxies_say_of_the_client_cannot_be_named_away(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, _ => { }, (options, _) => options.TrustedProxies.Add("127.0.0.1"), backend.Address);

        await host.AskAsync(way, headers: AppHost.Naming(way, "X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Prefix, Forwarded")
            + "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /p\r\nForwarded: for=1.1.1.1\r\n");

        var seen = Assert.Single(backend.Heads);
        Assert.Equal(["1.1.1.1, 127.0.0.1"], HttpHead.Values(seen, "X-Forwarded-For"));
        Assert.Equal(["https"], HttpHead.Values(seen, "X-Forwarded-Proto"));
        Assert.Equal(["/p"], HttpHead.Values(seen, "X-Forwarded-Prefix"));
        Assert.Equal(["for=1.1.1.1"], HttpHead.Values(seen, "Forwarded"));
    }

    [Theory]
    [MemberData(nameof(AppHost.Http1Ways), MemberType = typeof(AppHost))]
    public async Task Nor_can_what_the_balancer_says(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, _ => { }, (_, pool) => pool.Affinity.Rules.Add(Cookie()), backend.Address);

        await host.AskAsync(way, headers: AppHost.Naming(way, "StickyWs-Pin, StickyWs-Moved-From, Cookie"));

        Assert.Single(HttpHead.Values(Assert.Single(backend.Heads), "StickyWs-Pin"));
    }

    [Theory]
    [MemberData(nameof(AppHost.EveryWay), MemberType = typeof(AppHost))]
    public async Task A_backend_cannot_name_away_what_the_balancer_and_the_application_answer(Way way)
    {
        await using var backend = new Proxying.RawBackend((wire, head) => wire.WriteAsync(HttpHead.Value(head, "Upgrade") is null
            ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Set-Cookie, StickyWs-Backend, X-App, X-Hop\r\nX-Hop: 1\r\n\r\nok"
            : HttpHead.SwitchingProtocols(head, "X-Hop: 1\r\n")
                .Replace("Connection: Upgrade", "Connection: Upgrade, Set-Cookie, StickyWs-Backend, X-App, X-Hop", StringComparison.Ordinal)));
        await using var host = await AppHost.StartAsync(
            _ => { },
            app => app.Use((context, next) =>
            {
                context.Response.Headers["X-App"] = "1";
                return next(context);
            }),
            (_, pool) =>
            {
                pool.Affinity.Rules.Add(Cookie());
                pool.Affinity.RevealBackend = true;
            },
            backend.Address);

        var answer = await host.AskAsync(way);

        Assert.Single(HttpHead.Values(answer, "Set-Cookie"));
        Assert.Equal(["a"], HttpHead.Values(answer, "StickyWs-Backend"));
        Assert.Empty(HttpHead.Values(answer, "X-Hop"));
        if (way != Way.Sniffed) Assert.Equal(["1"], HttpHead.Values(answer, "X-App"));
    }

    [Fact]
    public async Task Over_HTTP2_there_is_no_Connection_to_name_anything_in()
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);
        await using var client = await RawClient.ConnectAsync(host.Http2);

        var answered = await RawHttp2.AskAsync(client, (":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "example.test"),
            ("connection", "x-user"), ("x-user", "1"));

        Assert.False(answered);
        Assert.Empty(backend.Heads);
    }

    [Fact]
    public async Task An_endpoint_of_the_application_still_upgrades()
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            app =>
            {
                app.UseWebSockets();
                app.Map("/ws", async context =>
                {
                    using var socket = await context.WebSockets.AcceptWebSocketAsync();
                    await socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, "", Wait.Token());
                });
            },
            backend.Address);
        await using var client = await host.ConnectAsync(Way.KeptAlive);

        var answer = await client.AskAsync(AppHost.Head(Way.KeptAlive, "/ws", "Connection: keep-alive, Upgrade, X-Hop\r\nX-Hop: 1\r\n"));

        Assert.Equal(101, HttpHead.Status(answer));
        Assert.Empty(backend.Heads);
    }

    private static AffinityRuleOptions Cookie() => new() { Cookie = new CookieAffinityOptions { Keys = { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" } } };
}
