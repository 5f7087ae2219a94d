namespace StickyWs.IntegrationTests.Proxying;

/// <summary>Answers whose status rules content out, from backends that announce or send some all the same.</summary>
public sealed class ContentlessAnswerTests
{
    [Theory]
    [InlineData(204, "Content-Length: 5\r\n\r\n")]
    [InlineData(205, "Content-Length: 5\r\n\r\nhello")]
    [InlineData(205, "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    public async Task An_answer_without_content_passes_and_what_is_wrong_with_it_does_not(int status, string rest)
    {
        await using var backend = RawBackend.Answering($"HTTP/1.1 {status} Empty\r\nX-Kept: yes\r\n{rest}");
        await using var proxy = await ProxyHost.StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n");

        var answer = await client.ReadToEndAsync();

        Assert.StartsWith($"HTTP/1.1 {status} Empty\r\n", answer);
        Assert.Contains("X-Kept: yes\r\n", answer);
        Assert.DoesNotContain("Content-Length: 5", answer);
        Assert.DoesNotContain("hello", answer);
    }
}
