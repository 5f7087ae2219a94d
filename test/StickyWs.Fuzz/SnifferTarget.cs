using System.Buffers;
using StickyWs.Detection;
using StickyWs.Http1;

namespace StickyWs.Fuzz;

/// <summary>
/// The sniffer: no exception, one verdict however the bytes are split, and never <see cref="Verdict.WebSocket"/> for what Kestrel would
/// refuse or read differently.
/// </summary>
internal sealed class SnifferTarget : IFuzzTarget
{
    private static readonly HeadLimits Narrow = new(256, 48, 6);

    private readonly KestrelOracle _kestrel = new();

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Handshake(),
        Handshake("Origin: http://example.com", "Sec-WebSocket-Extensions: permessage-deflate", "Cookie: a=b; c=d"),
        Handshake("Sec-WebSocket-Protocol: chat, superchat"),
        Handshake("Content-Length: 0"),
        Handshake("Transfer-Encoding: chunked"),
        Handshake("Expect: 100-continue"),
        [.. Handshake(), .. "\x81\x85\0\0\0\0hello"u8],
        [.. Handshake(), .. Handshake()],
        Seeds.Head("GET / HTTP/1.1", "Host: a"),
        Seeds.Head("GET /a%2Fb/../c?d=e HTTP/1.1", "host:[::1]:80", "upgrade:WebSocket", "connection:keep-alive,Upgrade",
            "sec-websocket-key:AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-version:13"),
        Seeds.Head("POST /form HTTP/1.1", "Host: a", "Content-Length: 3"),
        Seeds.Head("GET http://example.com/ HTTP/1.1", "Host: example.com"),
        Seeds.Head("OPTIONS * HTTP/1.1", "Host: a"),
        Seeds.Raw("GET / HTTP/1.0\n\n"),
        Seeds.Raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Seeds.Raw("\x16\x03\x01\x02\x00\x01"),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = Seeds.All(
        "\r", "\n", "\r\n", "\r\n\r\n", "\t", " ", "\0", "\x7F", "\x80", "\xC3\xA9", ":", ",", "%", "%00", "%2e", "/.", "//", "\\", "?", "#", "*", "[",
        "]", "\"",
        "GET ", "HEAD ", " HTTP/1.1", " HTTP/1.0", "http://a/", " folded", "X: y", "X :y", ": y", "Host: b", "Host:", "Host: a:99999", "Host: a b",
        "Host: [::1]", "Host: user@a",
        "Upgrade: websocket", "Upgrade: h2c", "Upgrade: websocket, h2c", "Connection: upgrade", "Connection: close", "Connection: Host, Upgrade",
        "Connection: keep-alive",
        "Connection: Sec-WebSocket-Key", "Content-Length: 1", "Content-Length: +0", "Transfer-Encoding: identity", "Sec-WebSocket-Version: 8",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA");

    public async Task<bool> CheckAsync(byte[] input, Random random)
    {
        var limits = random.Next(4) == 0 ? Narrow : HeadLimits.Default;
        var verdict = new Sniffer(limits).Sniff(new ReadOnlySequence<byte>(input), out var head);
        Broken.If(verdict == Verdict.WebSocket && head is null, "A handshake has no head.");
        CheckSplit(input, limits, Splitter.Cuts(input.Length, random), verdict, head);
        if (verdict != Verdict.WebSocket) return false;
        await _kestrel.AcceptAsync(input.AsMemory(0, head!.Length), head.Target.ToArray(), head.Path, head.Host);
        return true;
    }

    public ValueTask DisposeAsync() => _kestrel.DisposeAsync();

    private static void CheckSplit(byte[] input, HeadLimits limits, int[] cuts, Verdict verdict, RequestHead? head)
    {
        var sniffer = new Sniffer(limits);
        var split = Verdict.NeedMore;
        RequestHead? splitHead = null;
        foreach (var cut in cuts)
        {
            split = sniffer.Sniff(Splitter.Join(input, cuts, cut), out splitHead);
            if (split != Verdict.NeedMore) break;
        }

        Broken.If(split != verdict, $"The verdict is {verdict}, but {split} when the bytes come in {cuts.Length} pieces that end at "
            + $"{string.Join(", ", cuts)}.");
        Broken.If(splitHead?.Length != head?.Length, "The head's length depends on how the bytes come.");
    }

    private static byte[] Handshake(params string[] more) => Seeds.Head(
    [
        "GET /chat?room=1 HTTP/1.1", "Host: example.com:8080", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", .. more,
    ]);
}
