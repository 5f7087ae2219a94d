using System.Text;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

public abstract class HeaderTests(Lane lane, bool isDirect = false) : TransportedTest(lane, isDirect)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData("Connection: X-One, close\r\nConnection: X-Two,,x y")]
    [InlineData("Connection: keep-alive, X-One, X-Two")]
    [InlineData("Connection: X-One,X-Two\r\nConnection: x y, (), close")]
    [InlineData("Connection: X-One, X-Two, Upgrade")]
    [InlineData("Connection: X-One, X-Two, keep-alive")]
    [InlineData("Connection: X-One, X-Two, close")]
    [InlineData("Connection: close, x-one, keep-alive, X-TWO")]
    [InlineData("Connection: X-One\r\nConnection: X-Two")]
    public async Task Headers_named_in_Connection_do_not_pass_to_the_backend(string connection)
    {
        var head = await SentAsync($"{connection}\r\nX-One: 1\r\nx-two: 2\r\nX-Three: 3\r\nKeep-Alive: 5\r\nTE: trailers\r\n");
        Assert.DoesNotContain("X-One", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("X-Two", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Keep-Alive", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("TE:", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nX-Three: 3\r\n", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("close, X-One", true)]
    [InlineData("keep-alive, X-One", false)]
    public async Task Options_beside_close_and_keep_alive_leave_their_meaning_alone(string connection, bool closes)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"GET / HTTP/1.1\r\nHost: example.test\r\nConnection: {connection}\r\n\r\n");
        Assert.Equal(closes, (await client.ReadHeadAsync())!.Contains("\r\nConnection: close\r\n", StringComparison.Ordinal));
        if (!closes) await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n");
        Assert.Equal(closes, (await client.ReadToEndAsync()).Length == 0);
    }

    [Fact]
    public async Task Headers_that_route_and_frame_a_request_cannot_be_disowned()
    {
        var head = await SentAsync("Connection: Host, Content-Length, X-Forwarded-For\r\nContent-Length: 3\r\n", "abc");
        Assert.Contains("\r\nHost: example.test\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: 3\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.1\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_named_in_Connection_do_not_pass_to_the_client()
    {
        await using var backend = RawBackend.Answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X-Hop, Content-Language\r\nX-Hop: 1\r\nContent-Language: de\r\nX-End: 2\r\n\r\n");
        await using var proxy = await StartAsync(backend.Address);
        using var client = ProxyHost.Client(proxy.Http1);
        using var answer = await client.GetAsync("/");
        Assert.False(answer.Headers.Contains("X-Hop"));
        Assert.Empty(answer.Content.Headers.ContentLanguage);
        Assert.Equal("2", Assert.Single(answer.Headers.GetValues("X-End")));
    }

    [Fact]
    public async Task What_a_stranger_says_of_the_client_is_replaced()
    {
        var head = await SentAsync("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Prefix: /evil\r\n"
            + "Forwarded: for=6.6.6.6\r\n");
        Assert.DoesNotContain("6.6.6.6", head, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: http\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Host: example.test\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_trusted_proxy_says_of_the_client_is_kept_and_appended_to()
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync((options, _) => options.TrustedProxies.Add("127.0.0.0/8"), _ => { }, backend.Address);
        var head = await SentAsync(proxy, backend,
            "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /p\r\nForwarded: for=1.1.1.1\r\n");
        Assert.Contains("\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 127.0.0.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Host: example.test\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Prefix: /p\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nForwarded: for=1.1.1.1\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_trusted_proxy_says_in_empty_or_several_lines_is_one_list()
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync((options, _) => options.TrustedProxies.Add("127.0.0.0/8"), _ => { }, backend.Address);
        var head = await SentAsync(proxy, backend, "X-Forwarded-For: \r\nX-Forwarded-Proto: wss\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: \r\n");
        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: wss, https\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Host: example.test\r\n", head, StringComparison.Ordinal);
    }

    // The alternative is one for the backend's origin, not for the balancer's; and what frames an answer cannot be disowned.
    [Fact]
    public async Task An_answer_passes_without_what_is_the_backends_alone()
    {
        await using var backend = RawBackend.Answering(
            "HTTP/1.1 403 No\r\nAlt-Svc: h2=\"backend:443\"\r\nConnection: X-Hop, Content-Length\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nno");
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
        var head = await client.ReadHeadAsync();
        Assert.DoesNotContain("Alt-Svc", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("X-Hop", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nContent-Length: 2\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_bytes_pass_unchanged_both_ways()
    {
        const string Latin1 = "gr\u00FC\u00DFe";
        var utf8 = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes("gr\u00FC\u00DFe \u20AC"));
        await using var backend = RawBackend.Answering($"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Latin: {Latin1}\r\nX-Utf: {utf8}\r\n\r\n");
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"GET / HTTP/1.1\r\nHost: example.test\r\nX-Latin: {Latin1}\r\nX-Utf: {utf8}\r\n\r\n");
        var answer = await client.ReadHeadAsync();
        foreach (var head in new[] { answer!, Assert.Single(backend.Heads) })
        {
            Assert.Contains($"\r\nX-Latin: {Latin1}\r\n", head, StringComparison.Ordinal);
            Assert.Contains($"\r\nX-Utf: {utf8}\r\n", head, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("+10")]
    [InlineData("-10")]
    [InlineData("1 0")]
    [InlineData("0x10")]
    [InlineData("10,10")]
    [InlineData("100000000000000000000000000000")]
    public async Task A_content_length_that_is_no_number_is_refused_before_anything_is_sent(string length)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"POST / HTTP/1.1\r\nHost: example.test\r\nContent-Length: {length}\r\n\r\n0123456789");
        Assert.StartsWith("HTTP/1.1 400", await client.ReadHeadAsync());
        Assert.Empty(backend.Heads);
    }

    // RFC 9112 section 6.1. Kestrel keeps the length by another name.
    [Fact]
    public async Task A_length_that_the_coding_overrides_does_not_go_on_by_any_name()
    {
        var head = await SentAsync("Content-Length: 3\r\nTransfer-Encoding: chunked\r\nX-Between: 1\r\n", "3\r\nabc\r\n0\r\n\r\n");
        Assert.DoesNotContain("Content-Length", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nTransfer-Encoding: chunked\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Between: 1\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_length_by_that_name_goes_on_where_nothing_overrides_it()
    {
        var head = await SentAsync("Content-Length: 3\r\nX-Content-Length: 7\r\n", "abc");
        Assert.Contains("\r\nX-Content-Length: 7\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: 3\r\n", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "400")]
    [InlineData("Upgrade: tcp\r\n", "501")]
    public async Task An_upgrade_with_two_framings_reaches_no_backend(string upgrade, string status)
    {
        await using var backend = RawBackend.Answering(Ok);
        await using var proxy = await StartAsync(pool => pool.Upgrades.Add("tcp"), backend.Address);
        using var client = await Wire.ConnectAsync(proxy.Http1);
        await client.WriteAsync($"GET / HTTP/1.1\r\nHost: example.test\r\nConnection: Upgrade\r\n{upgrade}Content-Length: 3\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status}", await client.ReadHeadAsync());
        Assert.Empty(backend.Heads);
    }

    [Fact]
    public async Task An_upgrade_that_is_not_ours_goes_on_as_a_plain_request()
    {
        var head = await SentAsync("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n");
        Assert.DoesNotContain("Upgrade", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("HTTP2-Settings", head, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Cookies_and_repeated_answer_headers_arrive_as_they_were()
    {
        await using var backend = RawBackend.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n\r\n");
        await using var proxy = await StartAsync(backend.Address);
        using var client = ProxyHost.Client(proxy.Http2, http2: true);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        request.Headers.TryAddWithoutValidation("Cookie", "x=1; y=2");
        using var answer = await client.SendAsync(request);
        Assert.Contains("\r\nCookie: x=1; y=2\r\n", Assert.Single(backend.Heads), StringComparison.Ordinal);
        Assert.Equal(["a=1", "b=2; Path=/"], answer.Headers.GetValues("Set-Cookie"));
    }

    private async Task<string> SentAsync(string headers, string body = "")
    {
        await using var backend = new RawBackend(async (wire, _) =>
        {
            await wire.ReadAsync(body.Length);
            await wire.WriteAsync(Ok);
        });
        await using var proxy = await StartAsync(backend.Address);
        return await SentAsync(proxy, backend, headers, body);
    }

    private static async Task<string> SentAsync(ProxyHost proxy, RawBackend backend, string headers, string body = "")
    {
        using var client = await Wire.ConnectAsync(proxy.Http1);
        var method = body.Length > 0 ? "POST" : "GET";
        await client.WriteAsync($"{method} / HTTP/1.1\r\nHost: example.test\r\n{headers}\r\n{body}");
        Assert.StartsWith("HTTP/1.1 200", await client.ReadHeadAsync());
        return Assert.Single(backend.Heads);
    }

    public sealed class Portable() : HeaderTests(Lane.Portable);

    public sealed class OnIoUring() : HeaderTests(Lane.Raw);

    public sealed class Direct() : HeaderTests(Lane.Raw, isDirect: true);

    public sealed class DirectOnEpoll() : HeaderTests(Lane.RawEpoll, isDirect: true);
}
