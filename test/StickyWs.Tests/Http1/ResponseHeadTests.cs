using System.Text;
using StickyWs.Http1;
using StickyWs.TestKit;

namespace StickyWs.Tests.Http1;

public sealed class ResponseHeadTests
{
    private const string Accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    private const string Upgrade = "Upgrade: websocket\r\n";
    private const string Connection = "Connection: Upgrade\r\n";
    private const string Opening = $"HTTP/1.1 101 Switching Protocols\r\n{Upgrade}{Connection}{Accept}\r\n";

    public static TheoryData<string> Heads =>
    [
        Opening,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 \r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nX:\r\n\r\n",
        "HTTP/1.1 599 \u00e9\r\nX: \u00e9\r\n\r\n",
        $"HTTP/1.1 200 OK\r\nX: {new string('x', 3000)}\r\n\r\n",
        "HTTP/1.1 101 X\r\nContent-Length: 5\r\nContent-Length: +6\r\n\r\n",
        "HTTP/1.1 101 X\r\nContent-Length: 99999999999999999999\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 103 X\r\nContent-Length:\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 X\r\nContent-Length: 5, 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];

    public static TheoryData<string> NoHeads =>
    [
        "HTTP/1.2 200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 600 X\r\n\r\n", "HTTP/1.1 2x0 X\r\n\r\n", "HTTP/1.1 200\tOK\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n", "\r\n\r\n",
        "HTTP/1.1 200 a\0b\r\n\r\n", "HTTP/1.1 200 a\rb\r\n\r\n", "HTTP/1.1 200 a\nX: y\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n", "<html>", "\0", "220 mail ESMTP\r\n",
        "HTTP/1.1 200 OK\r\nNoColon\r\n\r\n", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "HTTP/1.1 200 OK\r\n X: folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 101 X\r\nContent-Length: 5\r\n 6\r\n\r\n", "HTTP/1.1 101 X\r\nTransfer-Encoding : chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
    ];

    [Theory]
    [MemberData(nameof(Heads))]
    public void TryParse_EveryPrefix_NeedsMoreUntilTheHeadIsThere(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text + "body\r\n\r\n");

        for (var length = 0; length <= bytes.Length; length++)
        {
            var parsed = ResponseHead.TryParse(bytes.AsSpan(0, length), out var head);
            var isWhole = length >= text.Length;
            Assert.True(parsed == (isWhole ? text.Length : 0) && head is null != isWhole, $"{parsed} after {length} of {text.Length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(NoHeads))]
    public void TryParse_EveryPrefixOfWhatIsNoHead_IsNeverTaken(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        var isRefused = false;

        for (var length = 0; length <= bytes.Length; length++)
        {
            var parsed = ResponseHead.TryParse(bytes.AsSpan(0, length), out var head);
            Assert.Null(head);
            isRefused |= parsed == -1;
            Assert.Equal(isRefused ? -1 : 0, parsed);
        }

        Assert.True(isRefused);
    }

    // What is not HTTP must not be waited for.
    [Theory]
    [InlineData("S")]
    [InlineData("HTTQ")]
    [InlineData("HTTP/2")]
    [InlineData("HTTP/1.1 abc\r\n")]
    [InlineData("\r\n")]
    public void TryParse_FirstBytesOfSomethingElse_AreRefusedAtOnce(string text)
        => Assert.Equal(-1, ResponseHead.TryParse(Encoding.Latin1.GetBytes(text), out _));

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found\r\n\r\n", 404, "Not Found")]
    [InlineData("HTTP/1.1 200 \r\n\r\n", 200, "")]
    [InlineData("HTTP/1.0 200\r\n\r\n", 200, "")]
    [InlineData("HTTP/1.1 500 x\r\nA: b\r\n\r\n", 500, "x")]
    public void Head_StatusLine_IsReadApart(string text, int status, string reason)
    {
        var head = Parse(text);

        Assert.Equal(status, head.Status);
        Assert.Equal(reason, Encoding.Latin1.GetString(head.Reason));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "UntilClose", 0)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "Length", 0)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:  17 \r\n\r\n", "Length", 17)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", "Length", long.MaxValue)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "Chunked", 0)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "None", 0)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n", "None", 17)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n", "None", 0)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", "None", 0)]
    public void Head_Framing_IsThatOfTheRfc(string text, string framing, long length)
    {
        var head = Parse(text);

        Assert.Equal((framing, length), (head.Framing.ToString(), head.ContentLength));
    }

    [Theory]
    [InlineData(Opening, true)]
    [InlineData($"HTTP/1.1 101 X\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\nsec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n"
        + "Sec-WebSocket-Protocol: chat\r\n\r\n", true)]
    [InlineData($"HTTP/1.1 101 X\r\nConnection: keep-alive\r\n{Upgrade}{Connection}{Accept}\r\n", true)]
    [InlineData($"HTTP/1.0 101 X\r\n{Upgrade}{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 200 OK\r\n{Upgrade}{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 100 Continue\r\n{Upgrade}{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}Connection: close\r\n{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\nUpgrade: h2c\r\n{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\nUpgrade: websocket, h2c\r\n{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Upgrade}{Connection}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}{Accept}{Accept}\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}Sec-WebSocket-Accept:\r\n\r\n", false)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}{Accept}Content-Length: 0\r\n\r\n", true)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}{Accept}Content-Length: 5\r\nContent-Length: -x\r\nTransfer-Encoding: gzip\r\n"
        + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n", true)]
    [InlineData($"HTTP/1.1 101 X\r\n{Upgrade}{Connection}{Accept}Transfer-Encoding: chunked\r\n\r\n", true)]
    public void Opens_Answer_ExactlyWhenEveryRuleHolds(string text, bool expected)
        => Assert.Equal(expected, Parse(text).Opens(Encoding.ASCII.GetBytes(HttpHead.Key)));

    [Theory]
    [InlineData("Upgrade: tcp\r\nConnection: Upgrade\r\n", true)]
    [InlineData("Upgrade: TCP\r\nConnection: keep-alive, upgrade\r\nContent-Length: 0\r\nContent-Type: x\r\n", true)]
    [InlineData("Upgrade: SPDY/3.1\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n", true)]
    [InlineData("Upgrade: SPDY\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade: SPDY/3.1, tcp\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade: tcp\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade: websocket\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade: h2c\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade:\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade: ,\r\nConnection: Upgrade\r\n", false)]
    [InlineData("Upgrade: tcp\r\n", false)]
    [InlineData("Upgrade: tcp\r\nConnection: close\r\n", false)]
    [InlineData("Connection: Upgrade\r\n", false)]
    public void SwitchesTo_Answer_NamesExactlyOneOfTheProtocols(string headers, bool expected)
    {
        Assert.Equal(expected, Parse($"HTTP/1.1 101 X\r\n{headers}\r\n").SwitchesTo("SPDY/3.1, tcp"u8));
        Assert.False(Parse($"HTTP/1.1 200 X\r\n{headers}\r\n".Replace("Content-Length: 0\r\n", "", StringComparison.Ordinal)).SwitchesTo("SPDY/3.1, tcp"u8));
        Assert.False(Parse($"HTTP/1.0 101 X\r\n{headers}\r\n").SwitchesTo("SPDY/3.1, tcp"u8));
    }

    [Theory]
    [InlineData(101, true)]
    [InlineData(103, true)]
    [InlineData(200, false)]
    [InlineData(304, false)]
    public void IsHopByHop_LengthOfABodyThatIsNotThere_GoesNoFurther(int status, bool expected)
        => Assert.Equal(expected, Parse($"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n").IsHopByHop("content-length"u8));

    [Fact]
    public void Opens_AnotherKey_IsNot() => Assert.False(Parse(Opening).Opens("AAAAAAAAAAAAAAAAAAAAAA=="u8));

    [Theory]
    [InlineData("X: a\r\n", "a")]
    [InlineData("x:  a\u00e9 \r\n", "a\u00e9")]
    [InlineData("X:\r\n", "")]
    [InlineData("Y: a\r\n", null)]
    [InlineData("X: a\r\nX: a\r\n", null)]
    public void Single_Header_IsItsOneValue(string headers, string? expected)
        => Assert.Equal(expected, Parse($"HTTP/1.1 200 OK\r\n{headers}\r\n").Single("X"u8));

    [Fact]
    public void IsHopByHop_NamedByConnection_IsForThisHop()
    {
        var head = Parse("HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n");

        Assert.True(head.IsHopByHop("x-hop"u8));
        Assert.True(head.IsHopByHop("Trailer"u8));
        Assert.False(head.IsHopByHop("X-End"u8));
    }

    [Fact]
    public void IsHopByHop_NamedByConnectionButFramesTheAnswer_GoesOn()
        => Assert.False(Parse("HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\n").IsHopByHop("Content-Length"u8));

    private static ResponseHead Parse(string text)
    {
        Assert.Equal(text.Length, ResponseHead.TryParse(Encoding.Latin1.GetBytes(text), out var head));
        return head!;
    }
}
