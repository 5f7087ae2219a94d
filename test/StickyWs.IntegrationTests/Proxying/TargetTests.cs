using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public abstract class TargetTests(Lane lane, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData("/")]
    [InlineData("/a%2Fb")]
    [InlineData("/a%2fb")]
    [InlineData("/a/../b")]
    [InlineData("/a/./b")]
    [InlineData("/a/%2e%2e/b")]
    [InlineData("//x")]
    [InlineData("/a//b/")]
    [InlineData("/%7Euser/~user")]
    [InlineData("/a?")]
    [InlineData("/a?q=%20+%2B&r=/../x")]
    [InlineData("/a?b?c")]
    [InlineData("/%E2%82%AC")]
    [InlineData("/a%25b")]
    [InlineData("/a;v=1,2:3@4!$&'()*=")]
    [InlineData("/a|b{c}^`\"<>\\d")]
    public async Task The_target_arrives_as_the_client_wrote_it(string target)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"GET {target} HTTP/1.1\r\nHost: example.test\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync());
        Assert.StartsWith($"GET {target} HTTP/1.1\r\n", Assert.Single(backend.Heads));
    }

    [Theory]
    [InlineData("http://example.test/a%2Fb?q", "/a%2Fb?q")]
    [InlineData("http://example.test", "/")]
    [InlineData("http://example.test?q=/x", "/?q=/x")]
    public async Task An_absolute_target_arrives_in_origin_form(string target, string expected)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"GET {target} HTTP/1.1\r\nHost: example.test\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync());
        Assert.StartsWith($"GET {expected} HTTP/1.1\r\n", Assert.Single(backend.Heads));
    }

    [Theory]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: example.test\r\n\r\n")]
    [InlineData("CONNECT example.test:80 HTTP/1.1\r\nHost: example.test:80\r\n\r\n")]
    public async Task A_target_that_names_no_resource_is_not_passed_on(string request)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync(request);
        Assert.StartsWith("HTTP/1.1 501", await client.ReadHeadAsync());
        Assert.Empty(backend.Heads);
    }

    [Fact]
    public async Task A_target_over_http2_arrives_as_the_client_wrote_it()
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(backend.Address);
        using var client = ProxyHost.Client(proxy.Http2, http2: true);
        var target = new Uri($"{proxy.Http2.GetLeftPart(UriPartial.Authority)}/a%2Fb/../c?%7e",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var answer = await client.GetAsync(target);
        Assert.StartsWith("GET /a%2Fb/../c?%7e HTTP/1.1\r\n", Assert.Single(backend.Heads));
    }

    public sealed class Portable() : TargetTests(Lane.Portable);

    public sealed class OnIoUring() : TargetTests(Lane.Raw);

    public sealed class Direct() : TargetTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : TargetTests(Lane.RawEpoll, isDirect: true);
}
