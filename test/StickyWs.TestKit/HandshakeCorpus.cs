namespace StickyWs.TestKit;

/// <summary>Request heads, good and bad, for whoever compares what two parsers make of them.</summary>
public static class HandshakeCorpus
{
    private const string Upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    private const string KeyLine = $"Sec-WebSocket-Key: {HttpHead.Key}\r\n";
    private const string Rest = Upgrade + KeyLine;

    /// <summary>Flawless handshakes that the sniffer must take.</summary>
    public static IReadOnlyList<string> Good { get; } =
    [
        HttpHead.Handshake(),
        HttpHead.Handshake("/a/b?c=d%00&e=f"),
        HttpHead.Handshake("//double//slash"),
        HttpHead.Handshake("/" + new string('a', 8000)),
        HttpHead.Handshake(headers: "Cookie: a=b; c=d\r\nX-Empty:\r\nX-Tab: a\tb\r\n"),
        HttpHead.Handshake(headers: "X-Long: " + new string('x', 20_000) + "\r\n"),
        HttpHead.Handshake(headers: string.Concat(Enumerable.Range(0, 90).Select(i => $"X-{i}: {i}\r\n"))),
        $"GET / HTTP/1.1\r\nHost: a:8080\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nhost:a\r\nUPGRADE: WebSocket\r\nconnection: keep-alive,upgrade\r\nsec-websocket-version:13\r\n"
            + $"sec-websocket-key:   {HttpHead.Key}  \r\n\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{KeyLine}\r\n",
    ];

    /// <summary>Heads that are none, or that only the HTTP server may judge.</summary>
    public static IReadOnlyList<string> Bad { get; } =
    [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        $"GET / HTTP/1.1\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost:\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: [1]\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: [::1\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a:\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a:b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a/b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a@b\r\n{Rest}\r\n",
        $"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{Rest}\r\n",
        $"get / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET / HTTP/1.0\r\nHost: a\r\n{Rest}\r\n",
        $"GET / HTTP/1.2\r\nHost: a\r\n{Rest}\r\n",
        $"GET / HTTP/2.0\r\nHost: a\r\n{Rest}\r\n",
        $"GET  / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /  HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /a b HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET a HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET * HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET http://a/ HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /%zz HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /%00 HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /a/../b HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /\u00e9 HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /\0 HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET /{new string('a', 9000)} HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"\r\nGET / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $" GET / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\nHost: a\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nNoColon\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX(Y): b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX: \u0001\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{Rest}\r\n0\r\n\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{KeyLine}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n{Rest}Connection: close\r\n\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n{Rest}{KeyLine}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n{Upgrade}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n{Upgrade}Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\n{string.Concat(Enumerable.Range(0, 120).Select(i => $"X-{i}: {i}\r\n"))}{Rest}\r\n",
        $"GET / HTTP/1.1\r\nHost: a\r\nX: {new string('x', 40_000)}\r\n{Rest}\r\n",
    ];

    /// <summary>All of them.</summary>
    public static IEnumerable<string> All => Good.Concat(Bad);
}
