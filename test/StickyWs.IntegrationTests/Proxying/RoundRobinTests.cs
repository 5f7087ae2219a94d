using Microsoft.AspNetCore.Builder;

namespace StickyWs.IntegrationTests.Proxying;

public sealed class RoundRobinTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Requests_on_one_connection_go_to_the_backends_exactly_in_turn(bool http2)
    {
        await using var a = await KestrelBackend.StartAsync("a");
        await using var b = await KestrelBackend.StartAsync("b");
        await using var c = await KestrelBackend.StartAsync("c");
        await using var proxy = await ProxyHost.StartAsync(a.Address, b.Address, c.Address);
        using var client = ProxyHost.Client(http2 ? proxy.Http2 : proxy.Http1, http2);
        var answers = "";
        for (var i = 0; i < 30; i++) answers += await client.GetStringAsync("/");
        Assert.Equal(string.Concat(Enumerable.Repeat("abc", 10)), answers);
        Assert.Equal(30, proxy.Outcomes.Seen.Count);
    }

    [Fact]
    public async Task Weights_are_kept_exactly_over_a_cycle()
    {
        await using var a = await KestrelBackend.StartAsync("a");
        await using var b = await KestrelBackend.StartAsync("b");
        await using var proxy = await ProxyHost.StartAsync(pool => pool.Backends["b"].Weight = 3, a.Address, b.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        var answers = "";
        for (var i = 0; i < 40; i++) answers += await client.GetStringAsync("/");
        Assert.Equal(10, answers.Count(answer => answer == 'a'));
        Assert.Equal(30, answers.Count(answer => answer == 'b'));
    }

    [Fact]
    public async Task A_request_that_fits_no_pool_or_has_an_endpoint_stays_with_the_app()
    {
        await using var a = await KestrelBackend.StartAsync("a");
        await using var proxy = await ProxyHost.StartAsync(
            (_, pool) => pool.Match.PathPrefixes.Add("/api"), app => app.MapGet("/api/own", () => "own endpoint"), a.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        Assert.Equal("a", await client.GetStringAsync("/api/x"));
        Assert.Equal("own endpoint", await client.GetStringAsync("/api/own"));
        Assert.Equal("the app", await client.GetStringAsync("/apis"));
    }
}
