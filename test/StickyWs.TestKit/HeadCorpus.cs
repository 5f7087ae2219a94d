using StickyWs.Detection;

namespace StickyWs.TestKit;

/// <summary>
/// First bytes of connections, good and bad, for whoever looks at them in pieces or compares what two parsers make of them. None of
/// the good ones may be refused by Kestrel.
/// </summary>
internal static class HeadCorpus
{
    private const string Key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    private const string Version = "Sec-WebSocket-Version: 13\r\n";
    private const string Upgrade = "Upgrade: websocket\r\n";
    private const string Connection = "Connection: Upgrade\r\n";
    private const string Rest = Upgrade + Connection + Version + Key;

    /// <summary>Flawless handshakes.</summary>
    public static IReadOnlyList<HeadCase> Good { get; } =
    [
        .. GoodTargets().Select(target => new HeadCase($"target {Short(target)}", Verdict.WebSocket, $"GET {target} HTTP/1.1\r\nHost: a\r\n{Rest}\r\n")),
        .. GoodHosts().Select(host => new HeadCase($"host {host}", Verdict.WebSocket, $"GET / HTTP/1.1\r\nHost: {host}\r\n{Rest}\r\n")),
        Handshake("header names and values in other cases", $"HOST: a\r\nupgrade: WebSocket\r\ncONNECTION: uPGRADE\r\nsec-websocket-version: 13\r\n"
            + "SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        Handshake("no space behind the colons", "Host:a\r\nUpgrade:websocket\r\nConnection:Upgrade\r\nSec-WebSocket-Version:13\r\n"
            + "Sec-WebSocket-Key:dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        Handshake("spaces and tabs around values", "Host: \t a \t\r\nUpgrade:  websocket\t\r\nConnection:\tUpgrade \r\nSec-WebSocket-Version:\t13\t\r\n"
            + "Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ==  \r\n"),
        Handshake("host last", Rest + "Host: a\r\n"),
        Handshake("connection with keep-alive", $"Host: a\r\n{Upgrade}Connection: keep-alive, Upgrade\r\n{Version}{Key}"),
        Handshake("connection twice", $"Host: a\r\n{Upgrade}Connection: keep-alive\r\n{Connection}{Version}{Key}"),
        Handshake("connection with empty elements", $"Host: a\r\n{Upgrade}Connection: ,, upgrade ,\r\n{Version}{Key}"),
        Handshake("connection that names another header", $"Host: a\r\n{Upgrade}Connection: Upgrade, X-Hop\r\nX-Hop: 1\r\n{Version}{Key}"),
        Handshake("what a browser sends", $"Host: a\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
            + $"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n{Upgrade}Origin: https://a\r\n{Version}Accept-Encoding: gzip, deflate, br\r\n"
                + $"Accept-Language: en;q=0.9\r\nCookie: a=b; c=\"d\"\r\n{Key}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                    + "Sec-WebSocket-Protocol: chat, superchat\r\n"),
        Handshake("empty and odd values", $"Host: a\r\nX-Empty:\r\nX-Space:   \r\nX-Tab: a\tb\r\nX-Colon: a:b:c\r\n!#$%&'*+-.^_`|~9: token\r\n{Rest}"),
        Handshake("upgrade-insecure-requests", $"Host: a\r\nUpgrade-Insecure-Requests: 1\r\n{Rest}"),
        Handshake("one hundred headers", $"Host: a\r\n{string.Concat(Enumerable.Range(0, 95).Select(i => $"X-{i}: {i}\r\n"))}{Rest}"),
        Handshake("a long header", $"Host: a\r\nX-Long: {new string('x', 20_000)}\r\n{Rest}"),
    ];

    /// <summary>All that is not ours: heads without a handshake, other protocols, and heads that only the server may judge.</summary>
    public static IReadOnlyList<HeadCase> Bad { get; } =
    [
        new("nothing", Verdict.NeedMore, ""),
        new("half a method", Verdict.NeedMore, "GE"),
        new("half a head", Verdict.NeedMore, "GET / HTTP/1.1\r\nHost: a\r\n"),
        new("half a line end", Verdict.NeedMore, $"GET / HTTP/1.1\r\nHost: a\r\n{Rest}\r"),
        new("half a preface", Verdict.NeedMore, "PRI * HTTP/2.0\r\n\r\nSM\r\n"),
        new("http2 preface", Verdict.Http2Preface, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        new("http2 preface and settings", Verdict.Http2Preface, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0"),
        new("almost a preface", Verdict.PlainHttp, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
        new("tls", Verdict.Tls, "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003"),
        new("tls alert", Verdict.PlainHttp, "\u0015\u0003\u0001\0\u0002"),
        new("zero byte", Verdict.PlainHttp, "\0"),
        new("line feed first", Verdict.PlainHttp, $"\nGET / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("empty line first", Verdict.PlainHttp, $"\r\nGET / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("space first", Verdict.PlainHttp, $" GET / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("small letters", Verdict.PlainHttp, $"get / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("post", Verdict.PlainHttp, $"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{Rest}\r\n"),
        new("put", Verdict.PlainHttp, $"PUT / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("longer method", Verdict.PlainHttp, $"GETS / HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("tab behind the method", Verdict.PlainHttp, $"GET\t/ HTTP/1.1\r\nHost: a\r\n{Rest}\r\n"),
        new("plain get", Verdict.PlainHttp, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        new("plain get with a body", Verdict.PlainHttp, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
        new("plain get with half a handshake", Verdict.PlainHttp, $"GET / HTTP/1.1\r\nHost: a\r\n{Connection}{Version}{Key}\r\n"),
        .. BadRequestLines().Select(line => new HeadCase($"request line {Short(line)}", Verdict.Doubtful, $"{line}Host: a\r\n{Rest}\r\n")),
        .. BadHosts().Select(host => new HeadCase($"host {host}", Verdict.Doubtful, $"GET / HTTP/1.1\r\nHost:{host}\r\n{Rest}\r\n")),
        .. BadHeaders().Select(header => new HeadCase($"header {Short(header)}", Verdict.Doubtful, $"GET / HTTP/1.1\r\nHost: a\r\n{header}{Rest}\r\n")),
        .. BadConnections().Select(connection => new HeadCase($"connection {connection}", Verdict.Doubtful, $"GET / HTTP/1.1\r\nHost: a\r\n"
            + $"{Upgrade}Connection: {connection}\r\n{Version}{Key}\r\n")),
        .. BadKeys().Select(key => new HeadCase($"key {key}", Verdict.Doubtful, $"GET / HTTP/1.1\r\nHost: a\r\n"
            + $"{Upgrade}{Connection}{Version}Sec-WebSocket-Key: {key}\r\n\r\n")),
        .. BadVersions().Select(version => new HeadCase($"version {version}", Verdict.Doubtful, $"GET / HTTP/1.1\r\nHost: a\r\n"
            + $"{Upgrade}{Connection}Sec-WebSocket-Version: {version}\r\n{Key}\r\n")),
        .. BadUpgrades().Select(upgrade => new HeadCase($"upgrade {upgrade}", Verdict.Doubtful, $"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: {upgrade}\r\n"
            + $"{Connection}{Version}{Key}\r\n")),
        Broken("no host", Rest),
        Broken("two hosts", $"Host: a\r\nHost: a\r\n{Rest}"),
        Broken("no connection", $"Host: a\r\n{Upgrade}{Version}{Key}"),
        Broken("no version", $"Host: a\r\n{Upgrade}{Connection}{Key}"),
        Broken("two versions", $"Host: a\r\n{Rest}{Version}"),
        Broken("no key", $"Host: a\r\n{Upgrade}{Connection}{Version}"),
        Broken("two keys", $"Host: a\r\n{Rest}{Key}"),
        Broken("two upgrades", $"Host: a\r\n{Rest}{Upgrade}"),
        Broken("one hundred and one headers", $"Host: a\r\n{string.Concat(Enumerable.Range(0, 96).Select(i => $"X-{i}: {i}\r\n"))}{Rest}"),
        Broken("a head too long", $"Host: a\r\nX-Long: {new string('x', 33_000)}\r\n{Rest}"),
    ];

    public static IEnumerable<HeadCase> All => Good.Concat(Bad);

    public static HeadCase Named(string name) => All.Single(head => head.Name == name);

    private static IEnumerable<string> GoodTargets() =>
    [
        "/", "/chat", "/chat?room=1&x=%2F%00", "//double//slash", "/a.b/c..d", "/a~b!$&'()*+,;=:@", "/a?/../%zz\\", "/" + new string('a', 8_000),
    ];

    private static IEnumerable<string> GoodHosts()
        => ["chat.example.com", "CHAT.example.com:443", "a_b-c:65535", "127.0.0.1:80", "[::1]", "[fe80::1]:8080", "[::ffff:10.0.0.1]:1"];

    private static IEnumerable<string> BadRequestLines() =>
    [
        "GET / HTTP/1.0\r\n", "GET / HTTP/1.2\r\n", "GET / HTTP/2.0\r\n", "GET / http/1.1\r\n", "GET / HTTP/1.1 \r\n", "GET / HTTP/1.10\r\n", "GET /\r\n",
        "GET \r\n", "GET  HTTP/1.1\r\n",
        "GET  / HTTP/1.1\r\n", "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\r\n", "GET / HTTP/1.1\r \n",
        "GET /a b HTTP/1.1\r\n", "GET a HTTP/1.1\r\n", "GET * HTTP/1.1\r\n", "GET ?a HTTP/1.1\r\n", "GET http://a/ HTTP/1.1\r\n", "GET a:80 HTTP/1.1\r\n",
        "GET /a#b HTTP/1.1\r\n", "GET /\0 HTTP/1.1\r\n", "GET /\t HTTP/1.1\r\n", "GET /\u007f HTTP/1.1\r\n", "GET /\u00e9 HTTP/1.1\r\n",
        "GET /a?\u00e9 HTTP/1.1\r\n",
        "GET /%zz HTTP/1.1\r\n", "GET /%00 HTTP/1.1\r\n", "GET /a%2Fb HTTP/1.1\r\n", "GET /. HTTP/1.1\r\n", "GET /a/../b HTTP/1.1\r\n",
        "GET /.hidden HTTP/1.1\r\n", "GET /a\\b HTTP/1.1\r\n",
        $"GET /{new string('a', 8_200)} HTTP/1.1\r\n",
    ];

    private static IEnumerable<string> BadHosts() =>
    [
        "", " ", " a b", " a,b", " a/b", " a@b", " a?b", " a#b", " a%41", " \u00e9", " a:", " a:b", " a:-1", " a:123456", " a:80:80", " :80", " [::1",
        " ::1", " []", " [1]", " [10.0.0.1]", " [::g]", " [::1]x", " [::1]:", " [::1%25eth0]",
    ];

    private static IEnumerable<string> BadHeaders() =>
    [
        "X : b\r\n", " X: folded\r\n", "X: a\r\n folded\r\n", "X: a\r\n\tfolded\r\n", ": empty\r\n", "NoColon\r\n", "X(Y): b\r\n", "X\u00e9: b\r\n",
        "X\0: b\r\n", "\"X\": b\r\n",
        "X: a\0b\r\n", "X: \u0001\r\n", "X: a\u007f\r\n", "X: a\rb\r\n", "X: a\r\r\n", "X: a\n", "X: a\nY: b\r\n", "X: \u00e9\r\n",
        "Content-Length: 0\r\n", "Content-Length: 5\r\n", "Content-Length: x\r\n", "content-length: +0\r\n", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n", "Expect: 100-continue\r\n",
        "Host: a\r\n",
    ];

    private static IEnumerable<string> BadConnections() =>
    [
        "", "close", "keep-alive", "Upgrade, close", "upgraded", "Upgrade Upgrade", "\"Upgrade\"", "Upgrade;q=1", "Upgrade, Host",
        "Upgrade, Sec-WebSocket-Key", "Upgrade, sec-websocket-protocol",
    ];

    private static IEnumerable<string> BadKeys() =>
    [
        "", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZSE=",
        "dGhlIHNhbXBsZSBub25jZSEh", "dGhlIHNhbXBs ZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ_==", "dGhlIHNhbXBsZSBub25jZR==", "========================",
    ];

    private static IEnumerable<string> BadVersions() => ["", "12", "8", "013", "13, 8", "13.0", "thirteen"];

    private static IEnumerable<string> BadUpgrades() => ["", "h2c", "websockets", "web socket", "websocket, h2c", "websocket/13", "\"websocket\""];

    private static HeadCase Handshake(string name, string headers) => new(name, Verdict.WebSocket, $"GET / HTTP/1.1\r\n{headers}\r\n");

    private static HeadCase Broken(string name, string headers) => new(name, Verdict.Doubtful, $"GET / HTTP/1.1\r\n{headers}\r\n");

    private static string Short(string text)
    {
        if (text.Length >= 60) return $"of {text.Length}";
        return text.Trim('\n').Trim('\r') + (text.EndsWith('\n') && !text.EndsWith("\r\n", StringComparison.Ordinal) ? " LF" : "");
    }
}
