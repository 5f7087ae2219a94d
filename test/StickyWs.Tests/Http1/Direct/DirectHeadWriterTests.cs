using System.Buffers;
using System.Net;
using System.Text;
using StickyWs.Forwarding;
using StickyWs.Http1;
using StickyWs.TestKit;

namespace StickyWs.Tests.Http1.Direct;

public sealed class DirectHeadWriterTests
{
    private const string Forwarded = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n";

    [Fact]
    public void Request_HopByHopNamedAndOwnHeaders_EndHere()
        => Assert.Equal(
            "GET /x?y HTTP/1.1\r\nHost: a\r\ncookie:a=b \r\nExpect: 100-continue\r\n" + Forwarded + "\r\n",
            ToBackend("GET /x?y HTTP/1.1|Host: a|Connection: X-Hop, keep-alive|cookie:a=b |X-Hop: 1|x-hop: 2|Keep-Alive: 5|TE: trailers|Trailer: X"
                + "|Proxy-Connection: close|StickyWs-Pin: 1|stickyws_pin: 1|Upgrade-Insecure-Requests: 1"
                + "|X-Forwarded-For: 9.9.9.9|Forwarded: for=9|X_Forwarded_For: 9"
                + "|X-Forwarded-Prefix: /p|Expect: 100-continue"));

    [Theory]
    [InlineData("Content-Length: 5", "Content-Length: 5\r\n")]
    [InlineData("Transfer-Encoding: chunked|Trailer: X-Sum", "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n")]
    [InlineData("content-length:\t007 ", "Content-Length: 7\r\n")]
    [InlineData("Content-Length:00", "Content-Length: 0\r\n")]
    [InlineData("Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked\r\n")]
    [InlineData("Transfer-Encoding: Chunked \t", "Transfer-Encoding: chunked\r\n")]
    public void Request_Framing_IsSaidPlainly(string lines, string expected)
        => Assert.Equal($"POST / HTTP/1.1\r\nHost: a\r\n{expected}{Forwarded}\r\n", ToBackend($"POST / HTTP/1.1|Host: a|{lines}"));

    [Fact]
    public void Request_Words_AreAdded()
        => Assert.Equal(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nConnection: close\r\nStickyWs-Pin: p\r\n\r\n",
            ToBackend("GET / HTTP/1.1|Host: a|Accept-Encoding: gzip|traceparent: 00-1|TraceState: a", new BackendWords
            {
                Scheme = "https"u8,
                Closes = true,
                Lines = "StickyWs-Pin: p\r\n"u8,
                DropsAcceptEncoding = true,
                DropsTrace = true,
            }));

    // The tunnels' writer and this share what a backend is told of its client.
    [Theory]
    [InlineData("", true)]
    [InlineData("X-Forwarded-For: 9.9.9.9|X-Forwarded-Proto: https|X-Forwarded-Host: b", true)]
    [InlineData("X-Forwarded-For: 9.9.9.9|X-Forwarded-Proto: https|X-Forwarded-Host: b", false)]
    [InlineData("x-forwarded-for: 9.9.9.9|X-Forwarded-For:|X-Forwarded-For: 8.8.8.8, 7.7.7.7|X-Forwarded-Proto:|X-Forwarded-Host: b|X-Forwarded-Host: c", true)]
    [InlineData("Forwarded: for=9.9.9.9|X-Forwarded-Prefix: /p|X_Forwarded_Prefix: /q|X-Forwarded_For: 6.6.6.6|X_Forwarded-Host: z", true)]
    [InlineData("Forwarded: for=9.9.9.9|X-Forwarded-Prefix: /p|X_Forwarded_Prefix: /q", false)]
    [InlineData("StickyWs-Pin: 1|Keep-Alive: 3|Alt-Svc: x|Proxy-Authorization: Basic x|X: y", false)]
    public void Request_Headers_AreThoseOfAHandshake(string lines, bool isTrusted)
    {
        var more = lines.Length == 0 ? "" : lines.Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n";
        var handshake = RequestHeadTests.Parse(HttpHead.Handshake(headers: more));
        var expected = new ArrayBufferWriter<byte>();
        RequestHeadWriter.Write(expected, handshake, new ClientInfo(IPAddress.Parse("192.0.2.1"), "http"), isTrusted);

        var written = ToBackend($"GET / HTTP/1.1|Host: example.test{(lines.Length == 0 ? "" : "|" + lines)}", new BackendWords
        {
            Address = "192.0.2.1"u8,
            Scheme = "http"u8,
            IsTrusted = isTrusted,
        });

        Assert.Equal(Lines(Encoding.Latin1.GetString(expected.WrittenSpan)), Lines(written));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Server: a", "HTTP/1.1 200 OK|Content-Length: 5|Server: a|Set-Cookie: s")]
    [InlineData("HTTP/1.0 200|Content-Length: 5|Connection: X-Hop|X-Hop: 1|Alt-Svc: x|StickyWs-Backend: y", "HTTP/1.1 200 |Content-Length: 5|Set-Cookie: s")]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: chunked|Trailer: X", "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Trailer: X|Set-Cookie: s")]
    [InlineData("HTTP/1.1 200 OK", "HTTP/1.1 200 OK|Connection: close|Set-Cookie: s")]
    [InlineData("HTTP/1.1 204 No|Content-Length: 5", "HTTP/1.1 204 No|Set-Cookie: s")]
    [InlineData("HTTP/1.1 205 Reset|Transfer-Encoding: chunked", "HTTP/1.1 205 Reset|Content-Length: 0|Set-Cookie: s")]
    [InlineData("HTTP/1.1 304 Not|Content-Length: 5|Transfer-Encoding: chunked", null)]
    [InlineData("HTTP/1.1 304 Not|Content-Length: 5", "HTTP/1.1 304 Not|Content-Length: 5|Set-Cookie: s")]
    [InlineData("HTTP/1.1 200 OK|Content-Length:\t005 ", "HTTP/1.1 200 OK|Content-Length: 5|Set-Cookie: s")]
    [InlineData("HTTP/1.1 304 Not|Content-Length:005", "HTTP/1.1 304 Not|Content-Length: 5|Set-Cookie: s")]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding:\tChunked ", "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Set-Cookie: s")]
    [InlineData("HTTP/1.1 304 Not|Transfer-Encoding: chunked", "HTTP/1.1 304 Not|Set-Cookie: s")]
    [InlineData("HTTP/1.1 426 Upgrade|Content-Length: 0|Upgrade: h2|Connection: Upgrade", "HTTP/1.1 426 Upgrade|Content-Length: 0|Set-Cookie: s")]
    public void Answer_Head_IsWrittenForTheClient(string lines, string? expected)
    {
        var text = DirectRequestParserTests.Head(lines);
        var verdict = DirectAnswerParserTests.Parse(text, out var answer);
        Assert.Equal(expected is null ? AnswerVerdict.Bad : AnswerVerdict.Final, verdict);
        if (expected is null) return;

        Assert.Equal(DirectRequestParserTests.Head(expected), ToClient(text, answer, "Set-Cookie: s\r\n", closes: false));
    }

    [Fact]
    public void Answer_Closing_SaysSo()
    {
        var text = DirectRequestParserTests.Head("HTTP/1.1 200 OK|Content-Length: 5");
        DirectAnswerParserTests.Parse(text, out var answer);

        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", ToClient(text, answer, "", closes: true));
    }

    [Fact]
    public void Heads_WithoutRoom_AreNotWritten()
    {
        var request = Encoding.Latin1.GetBytes(DirectRequestParserTests.Head("GET / HTTP/1.1|Host: a"));
        DirectRequestParserTests.Parse(Encoding.Latin1.GetString(request), out var asked);
        var output = new byte[256];
        Assert.True(DirectRequestWriter.TryWrite(output, request, asked, new BackendWords { Scheme = "http"u8 }, out var length));

        for (var room = 0; room < length; room++)
            Assert.False(DirectRequestWriter.TryWrite(output.AsSpan(0, room), request, asked, new BackendWords { Scheme = "http"u8 }, out _));
    }

    private static string ToBackend(string lines) => ToBackend(lines, new BackendWords { Address = "192.0.2.1"u8, Scheme = "http"u8 });

    private static string ToBackend(string lines, BackendWords words)
    {
        var text = DirectRequestParserTests.Head(lines);
        Assert.Equal(HeadVerdict.Taken, DirectRequestParserTests.Parse(text, out var request));
        var output = new byte[1024];
        Assert.True(DirectRequestWriter.TryWrite(output, Encoding.Latin1.GetBytes(text), request, words, out var length));
        return Encoding.Latin1.GetString(output, 0, length);
    }

    private static string ToClient(string head, in DirectAnswer answer, string lines, bool closes)
    {
        var output = new byte[1024];
        Assert.True(DirectAnswerWriter.TryWrite(output, Encoding.Latin1.GetBytes(head), answer, Encoding.Latin1.GetBytes(lines), closes, out var length));
        return Encoding.Latin1.GetString(output, 0, length);
    }

    // Without what a handshake has besides.
    private static string[] Lines(string head)
        => [.. head.Split("\r\n")[1..].Where(line => !line.StartsWith("Sec-WebSocket", StringComparison.Ordinal)
            && !line.StartsWith("Upgrade:", StringComparison.Ordinal) && !line.StartsWith("Connection:", StringComparison.Ordinal))];
}
