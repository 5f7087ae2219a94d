using System.Net;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Targets that Kestrel lets through and that must not reach a request line of ours.</summary>
public sealed class MalformedTargetTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData("/a\rX-Injected:1")]
    [InlineData("/a?q=\rb")]
    [InlineData("/a\tb")]
    [InlineData("/a\u0001b")]
    [InlineData("/a\u007Fb")]
    [InlineData("/a#/../b")]
    [InlineData("http://example.test#/b")]
    public async Task A_target_that_a_backend_may_read_differently_is_a_400(string target)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await ProxyHost.StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"GET {target} HTTP/1.1\r\nHost: example.test\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400", await client.ReadHeadAsync());
        Assert.Empty(backend.Heads);
    }

    [Theory]
    [InlineData("/a HTTP/1.1")]
    [InlineData("/a\tb")]
    public async Task HTTP2_brings_no_white_space_into_a_request_line(string target)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await ProxyHost.StartAsync(backend.Address);
        using var client = ProxyHost.Client(proxy.Http2, http2: true);
        var address = new Uri(proxy.Http2.GetLeftPart(UriPartial.Authority) + target,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var answer = await client.GetAsync(address);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(backend.Heads);
    }
}
