using StickyWs.Http1;


namespace StickyWs.Fuzz;

/// <summary>
/// The parser of a backend's head: no exception, what a prefix says is never taken back, and a head that it accepts is one to the runtime's
/// own client too, with the same status.
/// </summary>
internal sealed class ResponseHeadTarget : IFuzzTarget
{
    private readonly HttpClientOracle _client = new();

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Seeds.Head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        Seeds.Head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Content-Length: 0", "Transfer-Encoding: chunked"),
        Seeds.Head("HTTP/1.1 101 UPGRADED", "Content-Type: application/vnd.docker.raw-stream", "Connection: Upgrade", "Upgrade: tcp"),
        Seeds.Head("HTTP/1.1 200 OK", "Content-Length: 0", "Server: a"),
        Seeds.Head("HTTP/1.1 200", "Transfer-Encoding: chunked"),
        Seeds.Head("HTTP/1.0 404 Not Found", "Connection: close"),
        Seeds.Head("HTTP/1.1 204 No Content"),
        Seeds.Head("HTTP/1.1 503 Caf\xE9", "Retry-After: 5", "Content-Length: 5", "Content-Length: 5"),
        [.. Seeds.Head("HTTP/1.1 100 Continue"), .. Seeds.Head("HTTP/1.1 200 OK", "Content-Length: 0")],
        Seeds.Raw("HTTP/1.1 200 OK\nServer: a\n\n"),
        Seeds.Raw("HTTP/2 200\r\n\r\n"),
        Seeds.Raw("SSH-2.0-OpenSSH_9.9\r\n"),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } = Seeds.All(
        "\r", "\n", "\r\n", "\r\n\r\n", "\t", " ", "\0", "\x7F", "\xFF", ":", ",", "HTTP/1.1 ", "HTTP/1.0 ", "HTTP/1.", "999", "099", "101", "304",
        " folded", "X: y", "X :y", ": y",
        "Content-Length: 1", "Content-Length: -1", "Content-Length: +1", "Content-Length: 99999999999999999999", "Content-Length: 1, 1",
        "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
        "Upgrade: websocket", "Upgrade: tcp", "Upgrade: SPDY/3.1", "Upgrade: h2c", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

    public async Task<bool> CheckAsync(byte[] input, Random random)
    {
        var length = ResponseHead.TryParse(input, out var head);
        Broken.If(length > 0 != (head is not null) || length > input.Length, $"The length {length} does not fit the head.");
        CheckPrefixes(input, length, random);
        if (head is null) return false;
        var opens = head.Opens("dGhlIHNhbXBsZSBub25jZQ=="u8);
        Broken.If(opens && head.Status != 101, "Only a 101 can open a tunnel.");
        var switches = head.SwitchesTo("tcp, SPDY/3.1"u8);
        Broken.If(switches && (head.Status != 101 || opens || head.Single("Upgrade"u8) is not { } protocol
            || !protocol.Equals("tcp", StringComparison.OrdinalIgnoreCase) && !protocol.Equals("spdy/3.1", StringComparison.OrdinalIgnoreCase)),
            "A 101 switches to one protocol, and to one that was asked for.");
        Broken.If(head.Status < 200 && (head.Framing != BodyFraming.None || !head.IsHopByHop("Content-Length"u8)), "A 1xx has no body.");
        Broken.If(head.ReadHeaders() is var headers && Drain(ref headers), "The headers of an accepted head are malformed.");
        if (head.Status < 200) return true;
        var theirs = await _client.ReadStatusAsync(input[..length]);
        Broken.If(theirs != head.Status, $"The status is {head.Status}, to the runtime's client {theirs}.");
        return true;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void CheckPrefixes(byte[] input, int whole, Random random)
    {
        var before = 0;
        foreach (var cut in Splitter.Cuts(input.Length, random))
        {
            var length = ResponseHead.TryParse(input.AsSpan(0, cut), out _);
            Broken.If(length > 0 && length != whole, $"The first {cut} bytes hold a head of {length}, all of them one of {whole}.");
            Broken.If(whole > 0 && length != (cut < whole ? 0 : whole), $"The first {cut} bytes of a head of {whole} give {length}.");
            Broken.If(before < 0 && length >= 0, $"What was refused is no longer refused at {cut} bytes.");
            before = length;
        }
    }

    private static bool Drain(ref HeaderReader headers)
    {
        while (headers.Read())
        {
        }

        return headers.IsMalformed;
    }
}
