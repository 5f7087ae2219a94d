using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>Who is answered, and who may steer.</summary>
public sealed class AccessTests : DashboardTest
{
    private const string Stop = "backends/chat/a:stop";

    public static TheoryData<string> Everything { get; } = new("state", "tunnels", "tunnels/x", "flows", "ends", "refusals", "drains", "events",
        "openapi.json", "", "nothing");

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Without_authorization_a_remote_client_is_refused(string path)
    {
        var host = await StartAsync();

        var (status, problem) = await host.GetAsync(path, ("Test-Remote", "203.0.113.7"));

        Assert.Equal((HttpStatusCode.Forbidden, "local-only"), (status, Kind(problem)));
        Assert.Equal(HttpStatusCode.Forbidden, (await host.PostAsync(Stop, ("Test-Remote", "203.0.113.7"))).Status);
        Assert.DoesNotContain(host.Audit, line => line.Text.Contains("in force", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("127.8.8.8", HttpStatusCode.OK)]
    [InlineData("::1", HttpStatusCode.OK)]
    [InlineData("::ffff:127.0.0.1", HttpStatusCode.OK)]
    [InlineData("::ffff:10.0.0.1", HttpStatusCode.Forbidden)]
    [InlineData("10.0.0.1", HttpStatusCode.Forbidden)]
    [InlineData("fe80::1", HttpStatusCode.Forbidden)]
    public async Task Without_authorization_this_machine_is_the_loopback_network(string remote, HttpStatusCode expected)
        => Assert.Equal(expected, (await (await StartAsync()).GetAsync("state", ("Test-Remote", remote))).Status);

    [Theory]
    [InlineData("Forwarded", "for=10.0.0.1")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("x-forwarded-host", "localhost")]
    [InlineData("X-Original-For", "10.0.0.1:5")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("CF-Connecting-IP", "127.0.0.1")]
    public async Task Without_authorization_nobody_is_answered_through_a_proxy(string header, string value)
    {
        var (status, problem) = await (await StartAsync()).GetAsync("state", (header, value));

        Assert.Equal((HttpStatusCode.Forbidden, "local-only"), (status, Kind(problem)));
        Assert.Contains(header, (string)problem["detail"]!, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("localhost:{0}", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:{0}", HttpStatusCode.OK)]
    [InlineData("[::1]:{0}", HttpStatusCode.OK)]
    [InlineData("rebound.example:{0}", HttpStatusCode.Forbidden)]
    [InlineData("localhost.rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("127.0.0.1.rebound.example", HttpStatusCode.Forbidden)]
    [InlineData("10.0.0.1", HttpStatusCode.Forbidden)]
    public async Task Without_authorization_the_host_is_this_machine_by_name(string name, HttpStatusCode expected)
    {
        var host = await StartAsync();

        Assert.Equal(expected, (await host.GetAsync("state", ("Host", string.Format(null, name, host.Address.Port)))).Status);
    }

    [Fact]
    public async Task Without_authorization_the_protocol_of_old_proxies_is_refused()
    {
        var host = await StartAsync();
        await using var client = await RawClient.ConnectAsync(host.Address);

        Assert.Equal(403, HttpHead.Status(await client.AskAsync("GET /stickyws/state HTTP/1.0\r\nHost: localhost\r\n\r\n")));
    }

    // proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; as nginx's manual has it: an empty Upgrade is not sent on.
    [Theory]
    [InlineData("Connection: upgrade", 403)]
    [InlineData("Connection: keep-alive, Upgrade", 403)]
    [InlineData("Connection: upgrade\r\nUpgrade: h2c", 200)]
    [InlineData("Connection: keep-alive", 200)]
    [InlineData("Sec-Fetch-Site: same-origin\r\nOrigin: https://balancer.example", 403)]
    [InlineData("Sec-Fetch-Site: same-origin\r\nOrigin: null", 403)]
    [InlineData("Sec-Fetch-Site: same-origin\r\nReferer: https://balancer.example/stickyws/", 403)]
    [InlineData("Referer: https://balancer.example/stickyws/", 403)]
    [InlineData("Referer: nonsense", 403)]
    [InlineData("Sec-Fetch-Site: same-origin\r\nReferer: http://localhost:5000/stickyws/", 200)]
    [InlineData("Referer: http://[::1]:5000/stickyws/", 200)]
    public async Task Without_authorization_nobody_is_answered_through_a_proxy_that_adds_nothing_but_leaves_a_mark(string marks, int expected)
    {
        var host = await StartAsync();
        await using var client = await RawClient.ConnectAsync(host.Address);

        var answer = await client.AskAsync($"GET /stickyws/state HTTP/1.1\r\nHost: localhost\r\n{marks}\r\n\r\n");

        Assert.Equal(expected, HttpHead.Status(answer));
    }

    // Behind a proxy that leaves no mark at all, everybody looks local.
    [Theory]
    [InlineData("Production", null, false)]
    [InlineData("Production", true, true)]
    [InlineData("Development", null, true)]
    [InlineData("Development", false, false)]
    public async Task Without_authorization_nobody_steers_outside_of_development_unless_it_is_meant(string environment, bool? option, bool isAllowed)
    {
        var named = new HostingEnvironment { EnvironmentName = environment };
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), services => services.AddSingleton<IHostEnvironment>(named),
            configure: options => options.AnonymousSteering = option));

        var steering = (await host.GetAsync("state")).Body["steering"]!;
        var (status, answer) = await host.PostAsync(Stop);

        Assert.Equal((isAllowed, isAllowed ? null : "anonymous"), ((bool)steering["allowed"]!, (string?)steering["why"]));
        Assert.Equal(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden, status);
        if (!isAllowed) Assert.Equal("anonymous", Kind(answer));
        Assert.Equal(isAllowed ? "Stop" : "On", (string?)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]);
    }

    [Fact]
    public async Task With_authorization_that_option_is_of_no_effect()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.RequireAuthorization(),
            configure: options => options.AnonymousSteering = false));

        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync(Stop, ("X-User", "anna"))).Status);
        Assert.True((bool)(await host.GetAsync("state", ("X-User", "anna"))).Body["steering"]!["allowed"]!);
    }

    [Fact]
    public async Task Without_an_address_nobody_is_on_this_machine()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), web: web => web.UseTestServer()));
        using var client = host.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>() is TestServer server ? server.CreateClient() : null!;

        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(new Uri("/stickyws/state", UriKind.Relative), Wait.Token())).StatusCode);
        client.DefaultRequestHeaders.Add("Test-Remote", "127.0.0.1");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/stickyws/state", UriKind.Relative), Wait.Token())).StatusCode);
    }

    [Fact]
    public async Task Authorized_it_answers_from_anywhere_and_nobody_else()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.RequireAuthorization()));
        (string, string)[] remote = [("Test-Remote", "203.0.113.7"), ("Host", "dash.example"), ("X-Forwarded-For", "203.0.113.9")];

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state", [.. remote, ("X-User", "anna")])).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("state", remote)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("state")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostAsync(Stop)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync("nothing")).Status);
        Assert.DoesNotContain(host.Log.Lines, line => line.Event == "LocalOnly");
    }

    [Fact]
    public async Task Anonymity_that_is_allowed_is_no_authorization()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.RequireAuthorization().AllowAnonymous()));

        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync("state", ("Test-Remote", "203.0.113.7"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state")).Status);
    }

    [Fact]
    public async Task Anonymity_that_is_allowed_does_not_steer_where_a_policy_is_set()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.AllowAnonymous(),
            configure: options => options.SteerPolicy = "ops"));

        Assert.Equal("policy-skipped", Kind((await host.PostAsync(Stop)).Body));
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state")).Status);
    }

    [Fact]
    public async Task Authorization_of_a_group_around_it_is_seen()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), group: app => app.MapGroup("/ops").RequireAuthorization()));

        Assert.DoesNotContain(host.Log.Lines, line => line.Event == "LocalOnly");
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Client.GetAsync(new Uri("/ops/stickyws/state", UriKind.Relative), Wait.Token())).StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Routing_that_comes_after_the_balancer_is_warned_of(bool isAfter)
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), use: app =>
        {
            if (!isAfter) app.UseRouting();
        }, group: app =>
        {
            if (isAfter) app.UseRouting();
            return app;
        }));

        Assert.Equal(isAfter, host.Log.Lines.Any(line => line.Event == "RoutedTooLate"));
        var path = new Uri("/stickyws/state", UriKind.Relative);
        Assert.Equal(isAfter, await host.Client.GetStringAsync(path, Wait.Token()) == "a"); // A backend's answer.
    }

    [Fact]
    public async Task Without_authorization_the_log_says_so_once()
    {
        var host = await StartAsync();
        await host.GetAsync("state");

        Assert.Single(host.Log.Lines, line => line.Event == "LocalOnly" && line.Text.Contains("/stickyws", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Sec-Fetch-Site", "")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://localhost:1")]
    public async Task Another_origin_neither_reads_nor_steers_even_if_the_application_allows_all(string header, string value)
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), services => services.AddCors(),
            use: app => app.UseCors(policy => policy.SetIsOriginAllowed(_ => true).AllowAnyHeader().AllowAnyMethod().AllowCredentials())));

        Assert.Equal("other-origin", Kind((await host.GetAsync("state", (header, value))).Body));
        Assert.Equal("other-origin", Kind((await host.GetAsync("events", (header, value))).Body));
        Assert.Equal("other-origin", Kind((await host.PostAsync(Stop, (header, value))).Body));
        Assert.Contains("POST /stickyws/backends/chat/a:stop", AssertRefused(host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_own_pages_read_and_steer()
    {
        var host = await StartAsync();
        var own = host.Address.GetLeftPart(UriPartial.Authority);

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state", ("Sec-Fetch-Site", "same-origin"), ("Origin", own))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync(Stop, ("Origin", own))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync(Stop, ("Sec-Fetch-Site", "same-origin"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.PostAsync(Stop, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"))).Status);
    }

    // A frame that navigates to the events would hold one of their places.
    [Theory]
    [InlineData("", "document", HttpStatusCode.OK)]
    [InlineData("", "iframe", HttpStatusCode.Forbidden)]
    [InlineData("", null, HttpStatusCode.Forbidden)]
    [InlineData("state", "document", HttpStatusCode.Forbidden)]
    [InlineData("events", "iframe", HttpStatusCode.Forbidden)]
    [InlineData("events", "document", HttpStatusCode.Forbidden)]
    [InlineData("page/app.js", "document", HttpStatusCode.Forbidden)]
    public async Task Links_of_other_sites_lead_to_the_page_and_nowhere_else(string path, string? destination, HttpStatusCode expected)
    {
        var host = await StartAsync();
        using var request = host.Request(HttpMethod.Get, path, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"),
            ("Referer", "http://wiki.example/"));
        if (destination is not null) request.Headers.Add("Sec-Fetch-Dest", destination);

        using var answer = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Wait.Token());

        Assert.Equal((expected, "DENY"), (answer.StatusCode, answer.Headers.GetValues("X-Frame-Options").Single()));
    }

    [Fact]
    public async Task An_origin_that_the_application_names_for_it_is_meant()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(),
            services => services.AddCors(cors => cors.AddPolicy("wall", policy => policy.WithOrigins("http://wall.example"))),
            all => all.RequireCors("wall"), use: app => app.UseCors()));
        using var request = host.Request(HttpMethod.Get, "state", ("Origin", "http://wall.example"), ("Sec-Fetch-Site", "cross-site"));

        using var answer = await host.Client.SendAsync(request, Wait.Token());

        Assert.Equal((HttpStatusCode.OK, "http://wall.example"), (answer.StatusCode, answer.Headers.GetValues("Access-Control-Allow-Origin").Single()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public async Task Without_its_header_a_post_changes_nothing(string? value)
    {
        var host = await StartAsync();
        using var request = host.Request(HttpMethod.Post, Stop);
        if (value is not null) request.Headers.TryAddWithoutValidation("X-StickyWs", value);
        request.Content = new FormUrlEncodedContent([new("X-StickyWs", "1")]);

        var (status, problem) = await host.SendAsync(request);

        Assert.Equal((HttpStatusCode.Forbidden, "header-missing"), (status, Kind(problem)));
        AssertRefused(host);
        Assert.Equal("On", (string?)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]);
    }

    [Fact]
    public async Task Read_only_it_shows_and_refuses_every_post()
    {
        var host = await StartAsync(configure: options => options.ReadOnly = true);

        Assert.True((bool)(await host.GetAsync("state")).Body["readOnly"]!);
        foreach (var path in new[] { Stop, "pools/chat:cut", "backends:stop?pool=chat", "tunnels/x:goodbye" })
            Assert.Equal("read-only", Kind((await host.PostAsync(path)).Body));
        Assert.Equal(4, host.Audit.Count(line => line.Event == "SteerRefused"));
    }

    [Fact]
    public async Task A_policy_says_who_may_steer()
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.RequireAuthorization(),
            configure: options => options.SteerPolicy = "ops"));

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state", ("X-User", "anna"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.PostAsync(Stop, ("X-User", "anna"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync(Stop, ("X-User", "olga"))).Status);
        Assert.Contains("olga from 127.0.0.1:", Assert.Single(host.Audit).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_in_the_set_up_stops_the_start()
    {
        var settings = await EchoPoolAsync();
        var unknown = await Assert.ThrowsAsync<InvalidOperationException>(() => DashboardHost.StartAsync(settings, configure: o => o.SteerPolicy = "opps"));
        var range = await Assert.ThrowsAsync<ArgumentException>(() => DashboardHost.StartAsync(settings, configure: o => o.MaxEventStreams = 0));
        var waits = await Assert.ThrowsAsync<ArgumentException>(() => DashboardHost.StartAsync(settings, configure: o => o.MaxWaits = 10_001));
        var builder = WebApplication.CreateSlimBuilder();
        await using var app = builder.Build();
        var missing = Assert.Throws<InvalidOperationException>(() => app.MapStickyWsDashboard());
        var empty = Assert.Throws<ArgumentException>(() => app.MapStickyWsDashboard("/"));

        Assert.Contains("opps", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("MaxWaits", waits.Message, StringComparison.Ordinal);
        Assert.Contains("MaxEventStreams", range.Message, StringComparison.Ordinal);
        Assert.Contains("AddStickyWebSocketBalancing", missing.Message, StringComparison.Ordinal);
        Assert.Contains("empty", empty.Message, StringComparison.Ordinal);
    }

    private static string AssertRefused(DashboardHost host)
    {
        var line = Assert.Single(host.Audit);
        Assert.Equal("SteerRefused", line.Event);
        return line.Text;
    }
}
