using System.Text;
using StickyWs.Http1;

namespace StickyWs.Fuzz;

/// <summary>
/// The requests of the direct lane: however the bytes of a connection are split, the same are taken, and Kestrel reads those bytes as the same requests
/// with the same bodies and ends. The head for the backend is one that is taken, too.
/// </summary>
internal sealed class DirectRequestsTarget : IFuzzTarget
{
    private static readonly HeadLimits Narrow = new(256, 48, 6);
    private static readonly HeadLimits Wide = new(1 << 20, 1 << 20, 1 << 20);

    private readonly KestrelReader _kestrel = new();
    private long _requests;

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Get(), Get("Cookie: a=b; c=d", "Accept-Encoding: gzip", "User-Agent: one"), [.. Get(), .. Get("Connection: close"), .. Get()],
        Seeds.Head("HEAD /a/b?c=d HTTP/1.1", "host:[::1]:80", "connection:keep-alive"),
        Seeds.Raw("POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=bGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Seeds.Raw("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n"
            + "06;a=\"b\"\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"),
        Seeds.Raw("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            + "POST /d HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n"),
        Seeds.Raw("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"),
        Seeds.Raw("POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"),
        Seeds.Head("GET /up HTTP/1.1", "Host: a", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13"),
        Seeds.Head("DELETE /k HTTP/1.1", "Host: a", "Connection: X-Hop, keep-alive", "X-Hop: 1", "X-Forwarded-For: 9.9.9.9", "StickyWs-Pin: x"),
        Seeds.Head("GET http://example.com/ HTTP/1.1", "Host: example.com"),
        Seeds.Head("OPTIONS * HTTP/1.1", "Host: a"),
        Seeds.Raw("GET / HTTP/1.0\n\n"),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = Seeds.All(
        "\r", "\n", "\r\n", "\r\n\r\n", "\t", " ", "\0", "\x0B", "\x7F", "\x80", "\xC3\xA9", ":", ",", ";", "%", "%2e", "/.", "//", "\\", "?", "#", "*",
        "\"", "0",
        "GET ", "get ", "HEAD ", "POST ", "CONNECT ", "TRACE ", "M-SEARCH ", " HTTP/1.1", " HTTP/1.0", "http://a/", " folded", "X: y", "X :y", ": y", "X:",
        "_X_: y",
        "Host: b", "Host:", "Host: a:99999", "Host: a b", "Host: [::1]", "Host: user@a", "Host: a:0", "Upgrade: websocket", "Upgrade: h2c",
        "Connection: upgrade", "Connection: close", "Connection: Close, keep-alive", "Connection: Host", "Connection: Content-Length", "Connection: ,close,,",
        "Connection: close;x", "Connection: \"close\"", "Connection: Transfer-Encoding", "Content-Length: 1", "Content-Length: +1", "Content-Length: -1",
        "Content-Length: 007", "Content-Length: 1, 1", "Content-Length: 0x1", "Content-Length: 9223372036854775808", "Content-Length: 18446744073709551617",
        "Content-Length:", "Content-Length : 5", "Content_Length: 5", "Transfer-Encoding: chunked", "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: xchunked",
        "Transfer-Encoding:\x0B" + "chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding", "Expect: 100-continue", "Expect: 200-ok",
        "Content-Type: application/grpc", "Authorization: NTLM TlRM", "TE: trailers", "Keep-Alive: timeout=5", "Forwarded: for=1.2.3.4", "X_Forwarded_For: 1",
        "0\r\n\r\n", "0\r\nX-A: b\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n", "1\r\na\r\n", "0;\r\n\r\n", "7FFFFFFF\r\n", "80000000\r\n", "00000001\r\na\r\n",
        "000000001\r\na\r\n", "1;a\n\r\na\r\n", "1 \r\na\r\n", "1;a=\"\r\n\"\r\n", "0x1\r\na\r\n", "\n1\r\na\r\n", "FFFFFFFFFFFFFFFF\r\n",
        new string('0', 300) + "\r\n", "1;" + new string('x', 255) + "\r\na\r\n", "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

    public string Tally => $"{_requests} requests read by both";

    public async Task<bool> CheckAsync(byte[] input, Random random)
    {
        var limits = random.Next(8) == 0 ? Narrow : HeadLimits.Default;
        var whole = DirectReading.Of(input, [input.Length], limits);
        var cuts = Splitter.Cuts(input.Length, random);
        var split = DirectReading.Of(input, cuts, limits);
        Broken.If(!whole.Same(split), $"{whole}, but {split} in pieces that end at {string.Join(", ", cuts)}.");
        CheckHeads(input, limits);
        if (whole.Seen.Count == 0) return false;
        var (seen, answers) = await _kestrel.ReadAsync(input.AsMemory(0, whole.End), cuts, whole.Seen.Count);
        var isSame = seen.Count == whole.Seen.Count && KestrelReader.AreAllServed(answers);
        for (var i = 0; isSame && i < seen.Count; i++)
        {
            // An upgrade that the application did not use ends the connection.
            var isUpgrade = whole.IsUpgrade && i == seen.Count - 1;
            isSame = seen[i].Same(isUpgrade ? whole.Seen[i] with { Closes = seen[i].Closes } : whole.Seen[i]);
        }

        Broken.If(!isSame, $"{whole}, but Kestrel read {string.Join(", ", seen)} and answered\n{answers}");
        _requests += seen.Count;
        return true;
    }

    public ValueTask DisposeAsync() => _kestrel.DisposeAsync();

    private static void CheckHeads(byte[] input, HeadLimits limits)
    {
        var searched = 0;
        if (DirectRequestParser.Parse(input, limits, ref searched, out var request) != HeadVerdict.Taken || request.IsUpgrade) return;
        var head = input.AsSpan(0, request.HeadLength);
        var words = new BackendWords { Address = "192.0.2.1"u8, Scheme = "http"u8, IsTrusted = head[^5] % 2 == 0, Lines = "X-Own: 1\r\n"u8 };
        var output = new byte[head.Length + 512];
        Broken.If(!DirectRequestWriter.TryWrite(output, head, request, words, out var length), "The head for the backend does not fit.");
        Broken.If(DirectRequestWriter.TryWrite(output.AsSpan(0, length - 1), head, request, words, out _), "It fits where there is no room.");
        var written = output.AsSpan(0, length);
        searched = 0;
        var verdict = DirectRequestParser.Parse(written, Wide, ref searched, out var again);
        var isSame = verdict == HeadVerdict.Taken
            && again.HeadLength == length
            && (again.Framing, again.ContentLength, again.IsHead, again.ExpectsContinue, again.KeepAlive)
                == (request.Framing, request.ContentLength, request.IsHead, request.ExpectsContinue, true)
            && again.Target(written).SequenceEqual(request.Target(head))
            && again.Host(written).SequenceEqual(request.Host(head));
        Broken.If(!isSame, $"The backend gets another request: {Encoding.Latin1.GetString(written)}");
        var headers = again.Headers(written);
        while (headers.Read())
        {
            var isOfChunks = request.Framing == BodyFraming.Chunked && FramingHeaders.IsOfChunks(headers.Name);
            Broken.If(!isOfChunks && (HeaderNames.IsHopByHop(headers.Name) || OwnHeaders.IsOne(headers.Name)),
                $"The backend gets {Encoding.Latin1.GetString(headers.Line)}");
        }
    }

    private static byte[] Get(params string[] more) => Seeds.Head(["GET /a?b=c HTTP/1.1", "Host: example.com:8080", .. more]);
}
