using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>Hosts as clients may write them.</summary>
public sealed class HostTests
{
    public static TheoryData<Way, string> WaysAndHosts { get; } = new(
        from way in Enum.GetValues<Way>()
        from host in new[] { "x.test.", "X.Test.", "x.test.:8080", "X.TEST:8080", "x.test" }
        select (way, host));

    [Theory]
    [MemberData(nameof(WaysAndHosts))]
    public async Task A_host_finds_its_pool_however_it_is_written_and_is_passed_on_as_it_was(Way way, string written)
    {
        await using var rest = Backend.Answering();
        await using var x = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            _ => { },
            _ => { },
            (options, _) => options.Pools["x"] =
                new PoolOptions { Backends = { ["x"] = new() { Address = x.Address.GetLeftPart(UriPartial.Authority) } }, Match = { Hosts = { "x.test" } } },
            rest.Address);

        Assert.InRange(HttpHead.Status(await host.AskAsync(way, host: written)), 101, 200);

        var seen = Assert.Single(x.Heads);
        Assert.Equal([written], HttpHead.Values(seen, "Host"));
        Assert.Equal([written], HttpHead.Values(seen, "X-Forwarded-Host"));
        Assert.Empty(rest.Heads);
    }

    [Theory]
    [InlineData(Way.Http1)]
    [InlineData(Way.Tls)]
    public async Task A_request_with_an_empty_host_has_one_host_at_the_backend(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);

        Assert.Equal(200, HttpHead.Status(await host.AskAsync(way, host: "")));

        Assert.Equal([backend.Address.Authority], HttpHead.Values(Assert.Single(backend.Heads), "Host"));
    }

    [Fact]
    public async Task So_has_one_of_HTTP10_without_any_and_one_of_HTTP2()
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);
        await using var old = await RawClient.ConnectAsync(host.Plain);
        Assert.Equal(200, HttpHead.Status(await old.AskAsync("GET / HTTP/1.0\r\n\r\n")));
        await using var empty = await RawClient.ConnectAsync(host.Http2);
        Assert.True(await RawHttp2.AskAsync(empty, (":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "")));
        await using var bare = await RawClient.ConnectAsync(host.Http2);
        Assert.True(await RawHttp2.AskAsync(bare, (":method", "GET"), (":scheme", "http"), (":path", "/")));

        Assert.All(backend.Heads, head => Assert.Equal([backend.Address.Authority], HttpHead.Values(head, "Host")));
    }

    // RFC 6455 section 4.2.1: a handshake has a host.
    [Theory]
    [InlineData(Way.Sniffed)]
    [InlineData(Way.KeptAlive)]
    [InlineData(Way.TlsHandshake)]
    public async Task A_handshake_with_an_empty_host_is_none(Way way)
    {
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(_ => { }, backend.Address);

        Assert.Equal(400, HttpHead.Status(await host.AskAsync(way, host: "")));

        Assert.Empty(backend.Heads);
    }
}
