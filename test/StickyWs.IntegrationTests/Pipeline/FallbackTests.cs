using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>Pools go before the endpoints that are there for want of a better one, and behind all others.</summary>
public sealed class FallbackTests
{
    private const string Page = "the fallback";

    public static TheoryData<Way, string> WaysAndFallbacks { get; } = new(
        from way in Enum.GetValues<Way>()
        where way != Way.Sniffed
        from fallback in new[] { "delegate", "pattern", "file", "controller", "area" }
        select (way, fallback));

    [Theory]
    [MemberData(nameof(WaysAndFallbacks))]
    public async Task A_pool_goes_before_a_fallback(Way way, string fallback)
    {
        using var files = new Files();
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(fallback, files, "/api", backend.Address);

        var pooled = await host.AskAsync(way, "/api/items/7");
        var own = await host.AskAsync(way is Way.Connect ? Way.Http2Tls : way is Way.TlsHandshake ? Way.Tls : way is Way.KeptAlive ? Way.Http1 : way,
            "/elsewhere/7");

        Assert.InRange(HttpHead.Status(pooled), 101, 200);
        Assert.DoesNotContain(Page, pooled, StringComparison.Ordinal);
        Assert.StartsWith("GET /api/items/7 ", Assert.Single(backend.Heads), StringComparison.Ordinal);
        Assert.EndsWith(Page, own, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task An_endpoint_of_the_applications_own_goes_before_a_pool(Way way)
    {
        using var files = new Files();
        await using var backend = Backend.Answering();
        await using var host = await StartAsync("controller", files, "/", backend.Address);

        Assert.EndsWith(AppHost.Own, await host.AskAsync(way, "/own"), StringComparison.Ordinal);
        Assert.EndsWith("attributed 5", await host.AskAsync(way, "/fallback-tests/5"), StringComparison.Ordinal);
        Assert.Empty(backend.Heads);
    }

    // What the fallback says of who may see it is said of the fallback alone.
    [Theory]
    [MemberData(nameof(AppHost.ThroughPipeline), MemberType = typeof(AppHost))]
    public async Task A_fallback_for_everybody_opens_no_pool(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            services => services.AddAuthentication("a").AddCookie("a").Services.AddAuthorizationBuilder()
                .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()),
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapFallback(() => Page).AllowAnonymous();
                app.MapGet("/public", () => Page).AllowAnonymous();
            },
            (_, pool) => pool.Match.PathPrefixes.Add("/api"),
            backend.Address);

        var refused = way == Way.KeptAlive ? await host.AskAsync(Way.TlsHandshake, "/api/x") : await host.AskAsync(way, "/api/x");

        Assert.Equal(302, HttpHead.Status(refused)); // To the page to log in.
        Assert.Empty(backend.Heads);
        Assert.EndsWith(Page, await host.AskAsync(Way.Http1, "/elsewhere"), StringComparison.Ordinal);
        Assert.EndsWith(Page, await host.AskAsync(Way.Http1, "/public"), StringComparison.Ordinal);
    }

    // A branch with routes of its own, ahead of the balancer.
    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task A_branchs_fallback_is_the_branchs(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            _ => { },
            app => app.MapWhen(
                context => context.Request.Path.StartsWithSegments("/admin", StringComparison.Ordinal),
                branch => branch.UseRouting().UseEndpoints(endpoints => endpoints.MapFallback(() => Page))),
            (_, _) => { },
            backend.Address);

        Assert.EndsWith(Page, await host.AskAsync(way, "/admin/x"), StringComparison.Ordinal);
        Assert.EndsWith("ok", await host.AskAsync(way, "/x"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task A_fallback_for_few_closes_no_pool(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            services => services.AddAuthentication("a").AddCookie("a").Services.AddAuthorization(),
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapFallback(() => Page).RequireAuthorization();
            },
            (_, pool) => pool.Match.PathPrefixes.Add("/api"),
            backend.Address);

        Assert.EndsWith("ok", await host.AskAsync(way, "/api/x"), StringComparison.Ordinal);
        Assert.Equal(302, HttpHead.Status(await host.AskAsync(way, "/elsewhere")));
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task A_request_that_leaves_its_pool_behind_routing_has_its_fallback(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            _ => { },
            app =>
            {
                app.UseRouting();
                app.Use((context, next) =>
                {
                    context.Request.Path = "/elsewhere";
                    return next(context);
                });
                app.MapFallback("{*rest}", (string rest) => $"{Page} {rest}");
            },
            (_, pool) => pool.Match.PathPrefixes.Add("/api"),
            backend.Address);

        Assert.EndsWith($"{Page} api/x", await host.AskAsync(way, "/api/x"), StringComparison.Ordinal);
        Assert.Empty(backend.Heads);
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task A_pool_at_the_root_leaves_a_fallback_nothing(Way way)
    {
        using var files = new Files();
        await using var backend = Backend.Answering();
        await using var host = await StartAsync("file", files, "/", backend.Address);

        Assert.EndsWith("ok", await host.AskAsync(way, "/some/page"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("controller")]
    public async Task A_method_that_the_applications_endpoints_do_not_take_is_the_pools(string fallback)
    {
        using var files = new Files();
        await using var backend = Backend.Answering();
        await using var host = await StartAsync(fallback, files, "/", backend.Address);
        await using var client = await host.ConnectAsync(Way.Http1);

        foreach (var target in new[] { "/api/items", "/own", "/fallback-tests/5" })
        {
            Assert.Equal("ok", await client.ReadBodyAsync(await client.AskAsync($"POST {target} HTTP/1.1\r\nHost: example.test\r\nContent-Length: 0\r\n\r\n")));
        }
    }

    [Fact]
    public async Task A_pool_that_refuses_is_not_taken_for_the_fallback()
    {
        using var files = new Files();
        var (held, dead) = Proxying.RawBackend.Dead();
        using var holding = held;
        await using var host = await StartAsync("controller", files, "/api", dead);

        Assert.Equal(502, HttpHead.Status(await host.AskAsync(Way.Http1, "/api/x")));
        Assert.EndsWith(Page, await host.AskAsync(Way.Http1, "/elsewhere/7"), StringComparison.Ordinal);
    }

    private static Task<AppHost> StartAsync(string fallback, Files files, string prefix, Uri backend) => AppHost.StartAsync(
        services => services.AddControllers().AddApplicationPart(typeof(FallbackTests).Assembly),
        app =>
        {
            app.Environment.WebRootFileProvider = files.Provider;
            app.MapControllers();
            _ = fallback switch
            {
                "delegate" => app.MapFallback(() => Page),
                "pattern" => app.MapFallback("{*rest}", () => Page),
                "file" => app.MapFallbackToFile("index.html"),
                "controller" => app.MapFallbackToController("Last", "FallbackTest"),
                _ => app.MapFallbackToController("{*rest}", "Last", "FallbackTest"),
            };
        },
        (_, pool) => pool.Match.PathPrefixes.Add(prefix),
        backend);

    private sealed class Files : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

        public Files()
        {
            File.WriteAllText(Path.Combine(_folder.FullName, "index.html"), Page);
            Provider = new PhysicalFileProvider(_folder.FullName);
        }

        public PhysicalFileProvider Provider { get; }

        public void Dispose()
        {
            Provider.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}

/// <summary>Actions for <see cref="FallbackTests"/>.</summary>
public sealed class FallbackTestController : ControllerBase
{
    public ContentResult Last() => Content("the fallback");

    [HttpGet("/fallback-tests/{id}")]
    public ContentResult Attributed(int id) => Content($"attributed {id}");
}
