using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Configuration;
using StickyWs.IntegrationTests.Proxying;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>Names that application servers read as those of the balancer or of a proxy.</summary>
public sealed class LookAlikeTests
{
    private const string Forged = "X_Forwarded_For: 6.6.6.6\r\nx-forwarded_for: 6.6.6.6\r\nX_Forwarded-Proto: 6.6.6.6\r\nX_FORWARDED_HOST: 6.6.6.6\r\n"
        + "X_Forwarded_Prefix: 6.6.6.6\r\n"
        + "StickyWs_Pin: 6.6.6.6\r\nX_Forwarded_(: 6.6.6.6\r\n";

    public static TheoryData<Way, bool> WaysAndTrust { get; } = new(from way in Enum.GetValues<Way>() from trust in new[] { false, true } select (way, trust));

    [Theory]
    [MemberData(nameof(WaysAndTrust))]
    public async Task A_forged_name_reaches_no_backend(Way way, bool isTrusted)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, _ => { },
            (options, _) => { if (isTrusted) options.TrustedProxies.Add("127.0.0.1"); }, backend.Address);
        var forged = Forged.Replace("X_Forwarded_(: 6.6.6.6\r\n", "", StringComparison.Ordinal) + "X_Forward: kept\r\nX_Forwarder_For: kept\r\n";

        Assert.InRange(HttpHead.Status(await host.AskAsync(way, headers: forged)), 101, 200);

        var seen = Assert.Single(backend.Heads);
        Assert.DoesNotContain("6.6.6.6", seen, StringComparison.Ordinal);
        Assert.Equal(["127.0.0.1"], HttpHead.Values(seen, "X-Forwarded-For"));
        Assert.Equal(["kept"], HttpHead.Values(seen, "X_Forward"));
        Assert.Equal(["kept"], HttpHead.Values(seen, "X_Forwarder_For"));
    }

    // Whether the client sends the same, another or none.
    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task What_the_application_says_by_such_a_name_arrives_and_what_the_client_says_does_not(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            app => app.Use((context, next) =>
            {
                context.Request.Headers["X-Forwarded-User"] = new string("alice".AsSpan());
                context.Request.Headers["X-Forwarded-For"] = "6.6.6.6";
                context.Request.Headers.Append("X-Forwarded-Groups", "staff");
                context.Request.Headers.AppendCommaSeparatedValues("X-Forwarded-Role", "guest");
                context.Request.Headers["Forwarded"] = "by=app";
                context.Request.Headers["X-Forwarded-Prefix"] = "/app";
                return next(context);
            }),
            backend.Address);

        var named = way is Way.Http1 or Way.Tls or Way.KeptAlive or Way.TlsHandshake
            ? AppHost.Naming(way, "X-Forwarded-User, Forwarded, X-Forwarded-Groups") : "";
        foreach (var sent in new[] { "", "X-Forwarded-User: alice\r\n", "x-forwarded-user: mallory\r\n",
            "X-Forwarded-User: mallory\r\nX-Forwarded-User: alice\r\n", "X-Forwarded-User: alice, mallory\r\n", named })
        {
            const string forged = "X-Forwarded-Groups: admins\r\nX-Forwarded-Role: root\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Prefix: /evil\r\n"
                + "X-Forwarded-Email: a@b\r\n";
            Assert.InRange(HttpHead.Status(await host.AskAsync(way, headers: sent + forged)), 101, 200);
            var seen = backend.Heads[^1];
            Assert.Equal(["alice"], HttpHead.Values(seen, "X-Forwarded-User"));
            Assert.Equal(["127.0.0.1"], HttpHead.Values(seen, "X-Forwarded-For"));
            Assert.Equal(["staff"], HttpHead.Values(seen, "X-Forwarded-Groups"));
            Assert.Equal(["guest"], HttpHead.Values(seen, "X-Forwarded-Role"));
            Assert.Equal(["by=app"], HttpHead.Values(seen, "Forwarded"));
            Assert.Equal(["/app"], HttpHead.Values(seen, "X-Forwarded-Prefix"));
            Assert.Empty(HttpHead.Values(seen, "X-Forwarded-Email"));
        }
    }

    // The framework's own middleware takes what it trusts from the end, and leaves the rest in strings of its own.
    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task What_the_frameworks_middleware_leaves_of_it_is_the_clients(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            services => services.Configure<ForwardedHeadersOptions>(options =>
            {
                options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedPrefix;
                options.ForwardedForHeaderName = "X-Forwarded-Client";
                options.KnownProxies.Add(IPAddress.Loopback);
            }),
            app => app.UseForwardedHeaders(),
            (_, _) => { },
            backend.Address);

        Assert.InRange(HttpHead.Status(await host.AskAsync(way,
            headers: "X-Forwarded-Client: evil, 127.0.0.9\r\nX-Forwarded-Prefix: /evil, /base\r\n")), 101, 200);

        Assert.DoesNotContain("evil", backend.Heads[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Way.Http1)]
    [InlineData(Way.Sniffed)]
    [InlineData(Way.KeptAlive)]
    public async Task One_that_is_no_token_costs_nobody_an_answer(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);

        Assert.Contains(HttpHead.Status(await host.AskAsync(way, headers: Forged)), new[] { 101, 200, 400 });

        Assert.All(backend.Heads, head => Assert.DoesNotContain("6.6.6.6", head, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(AppHost.EveryWay), MemberType = typeof(AppHost))]
    public async Task A_backend_does_not_speak_in_the_balancers_name(Way way)
    {
        await using var backend = Backend.Answering(
            "StickyWs-Backend: forged\r\nStickyWs_Backend: forged\r\nStickyWs-Pin: forged\r\nX-StickyWs-Backend: kept\r\n");
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);

        var answer = await host.AskAsync(way);

        Assert.DoesNotContain("forged", answer, StringComparison.Ordinal);
        Assert.Equal(["kept"], HttpHead.Values(answer, "X-StickyWs-Backend"));
    }

    [Theory]
    [MemberData(nameof(AppHost.Handshakes), MemberType = typeof(AppHost))]
    public async Task Nor_does_one_that_declines_a_handshake(Way way)
    {
        await using var backend = new Proxying.RawBackend(
            (wire, _) => wire.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nStickyWs-Backend: forged\r\nX-End: 1\r\n\r\nno"));
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);

        var answer = await host.AskAsync(way);

        Assert.Equal(403, HttpHead.Status(answer));
        Assert.DoesNotContain("forged", answer, StringComparison.Ordinal);
        Assert.Equal(["1"], HttpHead.Values(answer, "X-End"));
    }

    [Fact]
    public async Task Nor_in_trailers()
    {
        await using var backend = await KestrelBackend.StartAsync(
            async context =>
            {
                await context.Response.WriteAsync("body");
                context.Response.AppendTrailer("StickyWs-Backend", "forged");
                context.Response.AppendTrailer("X-End", "1");
            },
            HttpProtocols.Http2);
        await using var host = await AppHost.StartAsync(_ => { }, _ => { }, (_, pool) => pool.HttpVersion = BackendHttpVersion.Http2, backend.Address);
        using var invoker = AppHost.Invoker();
        using var request = host.Http2Request(Way.Http2);

        using var answer = await invoker.SendAsync(request, Wait.Token());

        Assert.Equal("body", await answer.Content.ReadAsStringAsync(Wait.Token()));
        Assert.Equal("X-End", Assert.Single(answer.TrailingHeaders).Key, ignoreCase: true);
    }
}
