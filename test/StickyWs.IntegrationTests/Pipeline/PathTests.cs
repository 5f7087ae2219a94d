using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Rewrite;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>The path by which a pool is chosen is the path that its backend gets.</summary>
public sealed class PathTests
{
    public static TheoryData<Way, string, string> WaysAndRewrites { get; } = With(
        ("/old/a?x=1", "/new/a?x=1"),
        ("/old/a%2Fb?x=%2f", "/new/a%2Fb?x=%2f"),
        ("/old/%C3%A4%20b", "/new/%C3%A4%20b"),
        ("/query", "/query?added=1"),
        ("/query?x=%7e", "/query?added=1&x=%7e"));

    public static TheoryData<Way, string> WaysAndTargets { get; } = new(
        from way in Enum.GetValues<Way>()
        where way != Way.Sniffed
        from target in new[] { "/app/a%2Fb?q=%7E", "/app", "/APP/a/../b", "/app/%61?", "/app/a//b", "/application/%C3%A4?/../x" }
        select (way, target));

    [Theory]
    [MemberData(nameof(WaysAndRewrites))]
    public async Task A_rewritten_request_goes_by_its_new_path_and_query(Way way, string target, string expected)
    {
        await using var old = Backend.Answering();
        await using var renewed = Backend.Answering();
        await using var host = await StartAsync(
            app =>
            {
                app.UseRewriter(new RewriteOptions().AddRewrite("^old/(.*)", "new/$1", skipRemainingRules: true));
                app.Use((context, next) =>
                {
                    if (context.Request.Path == "/query")
                        context.Request.QueryString = new QueryString("?added=1" + context.Request.QueryString.Value!.Replace('?', '&'));
                    return next(context);
                });
            },
            old.Address,
            ("new", "/new", renewed.Address),
            ("query", "/query", renewed.Address));

        Assert.InRange(HttpHead.Status(await host.AskAsync(way, target)), 101, 200);

        Assert.Equal($"GET {expected} HTTP/1.1", HttpHead.FirstLine(Assert.Single(renewed.Heads)));
        Assert.Empty(old.Heads);
    }

    [Theory]
    [MemberData(nameof(WaysAndTargets))]
    public async Task A_path_base_that_is_taken_from_the_path_leaves_every_byte_of_it(Way way, string target)
    {
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(app => app.UsePathBase("/app"), backend.Address);

        Assert.InRange(HttpHead.Status(await host.AskAsync(way, target)), 101, 200);

        Assert.Equal($"GET {target} HTTP/1.1", HttpHead.FirstLine(Assert.Single(backend.Heads)));
    }

    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task A_path_base_stays_in_front_of_a_rewritten_path(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(
            app =>
            {
                app.UsePathBase("/app");
                app.UseRewriter(new RewriteOptions().AddRewrite("^old$", "new", skipRemainingRules: true));
            },
            backend.Address);

        await host.AskAsync(way, "/app/old?x");

        Assert.Equal("GET /app/new?x HTTP/1.1", HttpHead.FirstLine(Assert.Single(backend.Heads)));
    }

    [Theory]
    [MemberData(nameof(AppHost.EveryWay), MemberType = typeof(AppHost))]
    public async Task A_prefix_that_a_proxy_took_away_is_not_put_back_for_pool_or_backend(Way way)
    {
        await using var backend = Backend.Answering();
        await using var other = Backend.Answering();
        await using var host = await StartAsync(
            app => app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All }),
            backend.Address,
            ("prefixed", "/app", other.Address));

        Assert.InRange(HttpHead.Status(await host.AskAsync(way, "/a%2Fb?x", "X-Forwarded-Prefix: /app\r\nX-Forwarded-For: 1.1.1.1\r\n")), 101, 200);

        Assert.Equal("GET /a%2Fb?x HTTP/1.1", HttpHead.FirstLine(Assert.Single(backend.Heads)));
        Assert.Empty(other.Heads);
    }

    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task Both_kinds_of_path_base_at_once_are_told_apart(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(
            app =>
            {
                app.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All });
                app.UsePathBase("/b");
                app.UseRewriter(new RewriteOptions().AddRewrite("^old$", "new", skipRemainingRules: true));
            },
            backend.Address);

        await host.AskAsync(way, "/b/a%2Fb", "X-Forwarded-Prefix: /app\r\n");
        await host.AskAsync(way, "/b/old", "X-Forwarded-Prefix: /app\r\n");

        Assert.Equal(["GET /b/a%2Fb HTTP/1.1", "GET /b/new HTTP/1.1"], backend.Heads.Select(HttpHead.FirstLine));
    }

    [Fact]
    public async Task A_target_in_absolute_form_is_rewritten_too()
    {
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(
            app => app.UseRewriter(new RewriteOptions().AddRewrite("^old/(.*)", "new/$1", skipRemainingRules: true)), backend.Address);

        await host.AskAsync(Way.Http1, "http://example.test/old/a?x");
        await host.AskAsync(Way.Http1, "http://example.test/%6Fther?%7e");

        Assert.Equal(["GET /new/a?x HTTP/1.1", "GET /%6Fther?%7e HTTP/1.1"], backend.Heads.Select(HttpHead.FirstLine));
    }

    private static TheoryData<Way, string, string> With(params (string Target, string Expected)[] cases) => new(
        from way in Enum.GetValues<Way>()
        where way != Way.Sniffed
        from one in cases
        select (way, one.Target, one.Expected));

    private static Task<AppHost> StartAsync(Action<WebApplication> use, Uri backend, params (string Name, string Prefix, Uri Address)[] more)
        => AppHost.StartAsync(
        _ => { },
        use,
        (options, _) =>
        {
            foreach (var (name, prefix, address) in more)
            {
                options.Pools[name] = new PoolOptions
                {
                    Backends = { ["x"] = new() { Address = address.GetLeftPart(UriPartial.Authority) } },
                    Match = { PathPrefixes = { prefix } }
                };
            }
        },
        backend);
}
