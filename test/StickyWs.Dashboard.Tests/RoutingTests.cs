using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>What is below the prefix is the dashboard's, and nothing else is.</summary>
public sealed class RoutingTests : DashboardTest
{
    [Theory]
    [InlineData("GET", "nothing", 404)]
    [InlineData("GET", "page", 404)]
    [InlineData("GET", "page/", 404)]
    [InlineData("GET", "page/nothing.js", 404)]
    [InlineData("GET", "page/index.html", 404)]
    [InlineData("GET", "page/app.js/more", 404)]
    [InlineData("POST", "", 405)]
    [InlineData("DELETE", "page/app.js", 405)]
    [InlineData("GET", "state/more", 404)]
    [InlineData("POST", "state", 405)]
    [InlineData("DELETE", "tunnels", 405)]
    [InlineData("PUT", "tunnels/x", 405)]
    [InlineData("OPTIONS", "events", 405)]
    [InlineData("GET", "backends/chat/a:stop", 405)]
    [InlineData("GET", "pools/chat:cut", 405)]
    [InlineData("GET", "backends:stop", 405)]
    [InlineData("PATCH", "openapi.json", 405)]
    public async Task No_pool_and_no_fallback_gets_what_is_below_the_prefix(string method, string path, int expected)
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), use: app => app.MapFallback(() => "fallback")));
        using var request = host.Request(new HttpMethod(method), path, ("X-StickyWs", "1"));

        using var answer = await host.Client.SendAsync(request, Wait.Token());
        var problem = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync(Wait.Token()))!;

        Assert.Equal((expected, expected), ((int)answer.StatusCode, (int)problem["status"]!));
        Assert.False(answer.Headers.Contains("X-Backend"));
        if (expected == 405) Assert.NotEmpty(answer.Content.Headers.Allow);
        else Assert.Contains("GET state", problem["known"]!.AsArray().Select(known => (string?)known));
    }

    [Fact]
    public async Task All_else_is_the_pools()
    {
        var host = await StartAsync();

        foreach (var path in new[] { "/", "/stickywsx", "/a/stickyws/state" })
            Assert.Equal("a", await host.Client.GetStringAsync(new Uri(path, UriKind.Relative), Wait.Token()));
    }

    // On a plain connection it never reaches the application; a pool that is for all gets it.
    [Fact]
    public async Task A_sniffed_WebSocket_is_a_pools()
    {
        var host = await StartAsync();
        await using var client = await RawClient.ConnectAsync(host.Address);

        Assert.Contains("X-Backend: a", await client.AskAsync(HttpHead.Handshake("/stickyws/state")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_are_for_no_cache_no_guess_and_no_other_page()
    {
        var host = await StartAsync();

        using var answer = await host.Client.GetAsync(new Uri("/stickyws/state", UriKind.Relative), Wait.Token());

        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("same-origin", answer.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task Rate_limits_and_other_conventions_of_the_application_hold_for_all()
    {
        var seen = 0;
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.Add(endpoint =>
        {
            var inner = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                Interlocked.Increment(ref seen);
                return inner(context);
            };
        })));

        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("state")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync("nothing")).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("pools/chat:stop")).Status);
        Assert.Equal(3, seen);
    }
}
