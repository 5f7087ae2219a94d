using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tunnels;

public sealed class HeaderTests : BalancerTest
{
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_the_handshake_carries_passes_both_ways(Lane lane)
    {
        await using var backend = RawBackend.Opening(
            "Sec-WebSocket-Protocol: chat.v2\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\nSet-Cookie: a=1\r\n"
                + "Set-Cookie: b=2\r\nX-Answer: yes \u00e9\r\n");
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake(headers:
            "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nCookie: x=1; y=2\r\n"
                + "Origin: https://example.test\r\nX-Question: what \u00e9\r\nAuthorization: Bearer t\r\n"));

        var head = backend.Heads.Single();
        Assert.Equal("chat.v1, chat.v2", HttpHead.Value(head, "Sec-WebSocket-Protocol"));
        Assert.Equal("permessage-deflate; client_max_window_bits", HttpHead.Value(head, "Sec-WebSocket-Extensions"));
        Assert.Equal("x=1; y=2", HttpHead.Value(head, "Cookie"));
        Assert.Equal("https://example.test", HttpHead.Value(head, "Origin"));
        Assert.Equal("what \u00e9", HttpHead.Value(head, "X-Question"));
        Assert.Equal("Bearer t", HttpHead.Value(head, "Authorization"));
        Assert.Equal("example.test", HttpHead.Value(head, "Host"));
        Assert.Equal(HttpHead.Key, HttpHead.Value(head, "Sec-WebSocket-Key"));
        Assert.Equal(["Upgrade"], HttpHead.Values(head, "Connection"));
        Assert.Equal(["websocket"], HttpHead.Values(head, "Upgrade"));

        Assert.Equal("HTTP/1.1 101 Switching Protocols", HttpHead.FirstLine(answer));
        Assert.Equal("chat.v2", HttpHead.Value(answer, "Sec-WebSocket-Protocol"));
        Assert.Equal("permessage-deflate; client_max_window_bits=10", HttpHead.Value(answer, "Sec-WebSocket-Extensions"));
        Assert.Equal(["a=1", "b=2"], HttpHead.Values(answer, "Set-Cookie"));
        Assert.Equal("yes \u00e9", HttpHead.Value(answer, "X-Answer"));
        Assert.Equal(["Upgrade"], HttpHead.Values(answer, "Connection"));
        Assert.Equal(["websocket"], HttpHead.Values(answer, "Upgrade"));
        Assert.Equal([HttpHead.Accept(head)], HttpHead.Values(answer, "Sec-WebSocket-Accept"));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task The_balancer_says_who_the_client_is(Lane lane)
    {
        var head = await HeadAtBackendAsync(lane, HttpHead.Handshake());

        Assert.Equal(["127.0.0.1"], HttpHead.Values(head, "X-Forwarded-For"));
        Assert.Equal([lane.IsTls() ? "https" : "http"], HttpHead.Values(head, "X-Forwarded-Proto"));
        Assert.Equal(["example.test"], HttpHead.Values(head, "X-Forwarded-Host"));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_a_stranger_says_of_itself_is_replaced(Lane lane)
    {
        var head = await HeadAtBackendAsync(lane, HttpHead.Handshake(headers:
            "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Prefix: /evil\r\nForwarded: for=1.2.3.4\r\n"));

        Assert.Equal(["127.0.0.1"], HttpHead.Values(head, "X-Forwarded-For"));
        Assert.Equal(["example.test"], HttpHead.Values(head, "X-Forwarded-Host"));
        Assert.DoesNotContain("evil", head, StringComparison.Ordinal);
        Assert.DoesNotContain("1.2.3.4", head, StringComparison.Ordinal);
        Assert.DoesNotContain("gopher", head, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_a_trusted_proxy_says_in_empty_or_several_lines_is_one_list(Lane lane)
    {
        var head = await HeadAtBackendAsync(
            lane,
            HttpHead.Handshake(headers: "X-Forwarded-For: \r\nX-Forwarded-Proto: wss\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: \r\n"),
            settings => settings.With("TrustedProxies:0", "127.0.0.0/8"));

        Assert.Equal(["127.0.0.1"], HttpHead.Values(head, "X-Forwarded-For"));
        Assert.Equal(["wss, https"], HttpHead.Values(head, "X-Forwarded-Proto"));
        Assert.Equal(["example.test"], HttpHead.Values(head, "X-Forwarded-Host"));
    }

    // The alternative is one for the backend's origin, not for the balancer's; and what frames an answer cannot be disowned.
    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task A_declined_answer_passes_without_what_is_the_backends_alone(Lane lane)
    {
        await using var backend = RawBackend.Answering(
            _ => "HTTP/1.1 403 No\r\nAlt-Svc: h2=\"backend:443\"\r\nConnection: X-Hop, Content-Length\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nno");
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(HttpHead.Handshake());

        Assert.Null(HttpHead.Value(answer, "Alt-Svc"));
        Assert.Null(HttpHead.Value(answer, "X-Hop"));
        Assert.Equal("2", HttpHead.Value(answer, "Content-Length"));
        Assert.Equal("no", await client.ReadBodyAsync(answer));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task What_a_trusted_proxy_says_is_kept_and_appended_to(Lane lane)
    {
        var head = await HeadAtBackendAsync(
            lane,
            HttpHead.Handshake(headers: "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\nX-Forwarded-Proto: https\r\n"
                + "X-Forwarded-Host: shop.test\r\nX-Forwarded-Prefix: /shop\r\n"),
            settings => settings.With("TrustedProxies:0", "127.0.0.0/8"));

        Assert.Equal(["1.2.3.4, 5.6.7.8, 127.0.0.1"], HttpHead.Values(head, "X-Forwarded-For"));
        Assert.Equal(["https"], HttpHead.Values(head, "X-Forwarded-Proto"));
        Assert.Equal(["shop.test"], HttpHead.Values(head, "X-Forwarded-Host"));
        Assert.Equal(["/shop"], HttpHead.Values(head, "X-Forwarded-Prefix"));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task Headers_of_one_hop_go_no_further(Lane lane)
    {
        await using var backend = RawBackend.Opening("Keep-Alive: timeout=5\r\nX-Private: theirs\r\nConnection: X-Private\r\n");
        var balancer = Start(lane, backend.Address);
        var client = await ConnectAsync(balancer, lane);

        var answer = await client.AskAsync(
            "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: X-Secret, Upgrade, keep-alive\r\nX-Secret: ours\r\nTE: trailers\r\n"
                + "Proxy-Authorization: Basic eA==\r\nKeep-Alive: 300\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {HttpHead.Key}\r\n\r\n");

        var head = backend.Heads.Single();
        Assert.All(["X-Secret", "TE", "Proxy-Authorization", "Keep-Alive"], name => Assert.Null(HttpHead.Value(head, name)));
        Assert.Equal(["Upgrade"], HttpHead.Values(head, "Connection"));
        Assert.Equal(101, HttpHead.Status(answer));
        Assert.All(["X-Private", "Keep-Alive"], name => Assert.Null(HttpHead.Value(answer, name)));
        Assert.Equal(["Upgrade"], HttpHead.Values(answer, "Connection"));
    }

    [Theory]
    [MemberData(nameof(EveryLane))]
    public async Task The_target_arrives_byte_for_byte(Lane lane)
    {
        foreach (var target in new[] { "/", "/a?b=%2F&c=%zz", "/a%2Fb%20c?d", "/a/../b", "/./a//b", "/a%c3%a9", "/;p=1/x?y=[z]" })
        {
            var head = await HeadAtBackendAsync(lane, HttpHead.Handshake(target));
            Assert.Equal($"GET {target} HTTP/1.1", HttpHead.FirstLine(head));
        }
    }

    private async Task<string> HeadAtBackendAsync(Lane lane, string handshake, Action<LiveSettings>? configure = null)
    {
        await using var backend = RawBackend.Opening();
        var settings = Pool(backend.Address);
        configure?.Invoke(settings);
        var balancer = Start(lane, settings);
        await using var client = await balancer.ConnectAsync(lane);
        Assert.Equal(101, HttpHead.Status(await client.AskAsync(handshake)));
        return backend.Heads.Single();
    }
}
