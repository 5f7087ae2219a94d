using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1.Direct;

public sealed class DirectAnswerParserTests
{
    private const int MostBytes = 1024;

    [Theory]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5", nameof(BodyFraming.Length), true, true)]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: chunked|Trailer: X", nameof(BodyFraming.Chunked), true, true)]
    [InlineData("HTTP/1.1 200 OK|Server: a", nameof(BodyFraming.UntilClose), false, true)]
    [InlineData("HTTP/1.1 200|Content-Length: 5", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 204 No Content", nameof(BodyFraming.None), true, true)]
    [InlineData("HTTP/1.1 204 No Content|Content-Length: 0", nameof(BodyFraming.None), true, false)]
    [InlineData("HTTP/1.1 204 No Content|Content-Length: 5", nameof(BodyFraming.None), false, false)]
    [InlineData("HTTP/1.1 204 No Content|Transfer-Encoding: chunked", nameof(BodyFraming.None), false, false)]
    [InlineData("HTTP/1.1 200 OK|content-length: 5", nameof(BodyFraming.Length), true, true)]
    [InlineData("HTTP/1.1 200 OK|Content-Length:5", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length:\t5", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5 ", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 05", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding:\tchunked", nameof(BodyFraming.Chunked), true, false)]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: chunked \t", nameof(BodyFraming.Chunked), true, false)]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: Chunked", nameof(BodyFraming.Chunked), true, false)]
    [InlineData("HTTP/1.1 304 Not Modified|Content-Length: 5", nameof(BodyFraming.None), true, true)]
    [InlineData("HTTP/1.1 304 Not Modified|Transfer-Encoding: chunked", nameof(BodyFraming.None), true, false)]
    [InlineData("HTTP/1.0 200 OK|Content-Length: 5|Connection: keep-alive", nameof(BodyFraming.Length), false, false)]
    [InlineData("HTTP/1.0 200 OK", nameof(BodyFraming.UntilClose), false, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Connection: close", nameof(BodyFraming.Length), false, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Connection: x, Close", nameof(BodyFraming.Length), false, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Connection: a b", nameof(BodyFraming.Length), false, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Keep-Alive: timeout=1", nameof(BodyFraming.Length), false, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Keep-Alive: timeout=5, max=0", nameof(BodyFraming.Length), false, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Keep-Alive: max=5, Timeout = 2", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|StickyWs-Backend: a", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Upgrade: h2", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 205 Reset|Content-Length: 5", nameof(BodyFraming.Length), true, false)]
    [InlineData("HTTP/1.1 503 Caf\u00E9|Content-Length: 5|X: \u00E9", nameof(BodyFraming.Length), true, true)]
    public void Parse_FinalAnswer_IsFramed(string lines, string framing, bool keepAlive, bool passesAsIs)
    {
        Assert.Equal(AnswerVerdict.Final, Parse(DirectRequestParserTests.Head(lines), out var answer));
        Assert.Equal((framing, keepAlive, passesAsIs), (answer.Framing.ToString(), answer.KeepAlive, answer.PassesAsIs));
        Assert.Equal(answer.Framing == BodyFraming.Length ? 5 : 0, answer.ContentLength);
        Assert.Equal(answer.Status == 205, answer.DropsBody);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5")]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: chunked")]
    [InlineData("HTTP/1.1 200 OK")]
    public void Parse_AnswerToHead_HasNoBody(string lines)
    {
        Assert.Equal(AnswerVerdict.Final, Parse(DirectRequestParserTests.Head(lines), out var answer, isHead: true));
        Assert.Equal((BodyFraming.None, 0L, true), (answer.Framing, answer.ContentLength, answer.KeepAlive));
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue")]
    [InlineData("HTTP/1.1 103 Early Hints|Link: </a>")]
    [InlineData("HTTP/1.1 102 Processing|Content-Length: 5|Content-Length: 6")]
    public void Parse_1xx_IsInformationalWithoutABody(string lines)
    {
        Assert.Equal(AnswerVerdict.Informational, Parse(DirectRequestParserTests.Head(lines), out var answer));
        Assert.Equal(BodyFraming.None, answer.Framing);
    }

    [Theory]
    [InlineData("HTTP/1.1 101 Switching Protocols|Upgrade: x|Connection: Upgrade")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked")]
    [InlineData("HTTP/1.1 204 No|Content-Length: 5|Transfer-Encoding: chunked")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: +5")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 5, 5")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 00000000000000000005")]
    [InlineData("HTTP/1.1 200 OK|Content-Length: 9223372036854775808")]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked")]
    [InlineData("HTTP/1.1 200 OK|Transfer-Encoding: identity")]
    [InlineData("HTTP/1.0 200 OK|Transfer-Encoding: chunked")]
    [InlineData("HTTP/1.1 200 OK|X: a| folded")]
    [InlineData("HTTP/1.1 200 OK|X : a")]
    [InlineData("HTTP/1.1 200 OK|X: a\0b")]
    [InlineData("HTTP/1.1 200 OK|X: a\nY: b")]
    [InlineData("HTTP/1.1 200 OK|X: a\rb")]
    [InlineData("HTTP/1.1 200 O\u0001K")]
    [InlineData("HTTP/1.1 2000 OK")]
    [InlineData("HTTP/1.1  200 OK")]
    [InlineData("HTTP/1.1 099 OK")]
    [InlineData("HTTP/1.1 600 OK")]
    [InlineData("HTTP/1.2 200 OK")]
    [InlineData("HTTP/2 200 OK")]
    [InlineData("ICY 200 OK")]
    [InlineData("\n")]
    [InlineData("")]
    public void Parse_NotAnAnswer_IsBad(string lines)
    {
        Assert.Equal(AnswerVerdict.Bad, Parse(DirectRequestParserTests.Head(lines), out var answer));
        Assert.Equal(0, answer.HeadLength);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("HTTP/2")]
    [InlineData("HTTP/1.1 2xx\r\n")]
    [InlineData("HTTP/1.1 200 OK\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: y\n")]
    public void Parse_StartOfNoAnswer_IsBadAtOnce(string start) => Assert.Equal(AnswerVerdict.Bad, Parse(start, out _));

    [Fact]
    public void Parse_EverySplit_GivesTheSame()
    {
        var bytes = Encoding.Latin1.GetBytes("HTTP/1.1 200 OK\r\nServer: a\r\nContent-Length: 5\r\n\r\n");
        var searched = 0;
        for (var length = 0; length < bytes.Length; length++)
            Assert.Equal(AnswerVerdict.Incomplete, DirectAnswerParser.Parse(bytes.AsSpan(0, length), MostBytes, ref searched, false, out _));

        Assert.Equal(AnswerVerdict.Final, DirectAnswerParser.Parse(bytes, MostBytes, ref searched, false, out var answer));
        Assert.Equal((bytes.Length, 200), (answer.HeadLength, answer.Status));
        Assert.Equal("OK", Encoding.ASCII.GetString(answer.Reason(bytes)));
    }

    [Fact]
    public void Parse_TooLong_IsBad()
    {
        var bytes = Encoding.Latin1.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        int searched = 0, early = 0;

        Assert.Equal(AnswerVerdict.Bad, DirectAnswerParser.Parse(bytes, bytes.Length - 1, ref searched, false, out _));
        Assert.Equal(AnswerVerdict.Bad, DirectAnswerParser.Parse(bytes.AsSpan(0, bytes.Length - 1), bytes.Length - 1, ref early, false, out _));
    }

    internal static AnswerVerdict Parse(string text, out DirectAnswer answer, bool isHead = false)
    {
        var searched = 0;
        return DirectAnswerParser.Parse(Encoding.Latin1.GetBytes(text), MostBytes, ref searched, isHead, out answer);
    }
}
