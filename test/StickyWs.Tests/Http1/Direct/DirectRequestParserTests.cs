using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1.Direct;

public sealed class DirectRequestParserTests
{
    private const string Plain = "POST /a/b?c=d HTTP/1.1\r\nHost: example.test:8080\r\nCookie: a=b\r\nContent-Length: 5\r\n\r\n";

    [Fact]
    public void Parse_PlainRequest_FindsItsParts()
    {
        var head = Encoding.Latin1.GetBytes(Plain);

        Assert.Equal(HeadVerdict.Taken, Parse(Plain + "hello", out var request));

        Assert.Equal(Plain.Length, request.HeadLength);
        Assert.Equal("POST", Encoding.ASCII.GetString(request.Method(head)));
        Assert.Equal("/a/b?c=d", Encoding.ASCII.GetString(request.Target(head)));
        Assert.Equal("/a/b", Encoding.ASCII.GetString(request.Path(head)));
        Assert.Equal("?c=d", Encoding.ASCII.GetString(request.Query(head)));
        Assert.Equal("example.test:8080", Encoding.ASCII.GetString(request.Host(head)));
        Assert.Equal((3, BodyFraming.Length, 5L), (request.HeaderCount, request.Framing, request.ContentLength));
        Assert.True(request is { KeepAlive: true, HasBody: true, IsHead: false, IsSafe: false, ExpectsContinue: false, IsUpgrade: false, NamesHeaders: false });
    }

    [Theory]
    [InlineData("GET / HTTP/1.1|Host: a", nameof(BodyFraming.None))]
    [InlineData("GET / HTTP/1.1|Host: [::1]:80", nameof(BodyFraming.None))]
    [InlineData("M-SEARCH //a?\"b\" HTTP/1.1|host:a_b.c", nameof(BodyFraming.None))]
    [InlineData("POST / HTTP/1.1|Host: a", nameof(BodyFraming.None))]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 0", nameof(BodyFraming.Length))]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length:\t9223372036854775807 ", nameof(BodyFraming.Length))]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: Chunked", nameof(BodyFraming.Chunked))]
    [InlineData("GET / HTTP/1.1|Host: a|Content-Type: application/grpc-web", nameof(BodyFraming.None))]
    [InlineData("GET / HTTP/1.1|Host: a|Authorization: Bearer NTLM", nameof(BodyFraming.None))]
    [InlineData("GET / HTTP/1.1|Host: a|X-Empty:|X-Tab: a\tb", nameof(BodyFraming.None))]
    public void Parse_BeyondDoubt_IsTaken(string lines, string framing)
    {
        Assert.Equal(HeadVerdict.Taken, Parse(Head(lines), out var request));
        Assert.Equal(framing, request.Framing.ToString());
    }

    [Theory]
    // What Kestrel serves in other ways, or refuses in its own words.
    [InlineData("GET / HTTP/1.0|Host: a")]
    [InlineData("GET / HTTP/1.2|Host: a")]
    [InlineData("GET / http/1.1|Host: a")]
    [InlineData("GET  / HTTP/1.1|Host: a")]
    [InlineData("GET / HTTP/1.1 |Host: a")]
    [InlineData(" GET / HTTP/1.1|Host: a")]
    [InlineData("GET http://a/ HTTP/1.1|Host: a")]
    [InlineData("OPTIONS * HTTP/1.1|Host: a")]
    [InlineData("CONNECT a:443 HTTP/1.1|Host: a:443")]
    [InlineData("CONNECT / HTTP/1.1|Host: a")]
    [InlineData("TRACE / HTTP/1.1|Host: a")]
    [InlineData("get / HTTP/1.1|Host: a")]
    [InlineData("Head / HTTP/1.1|Host: a")]
    [InlineData("G(T / HTTP/1.1|Host: a")]
    [InlineData("GET /%61 HTTP/1.1|Host: a")]
    [InlineData("GET /a/../b HTTP/1.1|Host: a")]
    [InlineData("GET /a\\b HTTP/1.1|Host: a")]
    [InlineData("GET /a#b HTTP/1.1|Host: a")]
    [InlineData("GET /\u00E9 HTTP/1.1|Host: a")]
    // Routing.
    [InlineData("GET / HTTP/1.1|Accept: a")]
    [InlineData("GET / HTTP/1.1|Host: a|Host: a")]
    [InlineData("GET / HTTP/1.1|Host:")]
    [InlineData("GET / HTTP/1.1|Host: a b")]
    [InlineData("GET / HTTP/1.1|Host: a, b")]
    [InlineData("GET / HTTP/1.1|Host: u@a")]
    [InlineData("GET / HTTP/1.1|Host: a:")]
    [InlineData("GET / HTTP/1.1|Host: a/b")]
    [InlineData("GET / HTTP/1.1|Host: [::]")]
    // Lines.
    [InlineData("GET / HTTP/1.1|Host : a")]
    [InlineData("GET / HTTP/1.1| Host: a")]
    [InlineData("GET / HTTP/1.1|Host: a|X: y| folded")]
    [InlineData("GET / HTTP/1.1|Host: a|X: y|\tfolded")]
    [InlineData("GET / HTTP/1.1|Host: a|X y: z")]
    [InlineData("GET / HTTP/1.1|Host: a|: z")]
    [InlineData("GET / HTTP/1.1|Host: a|noColon")]
    [InlineData("GET / HTTP/1.1|Host: a|X: a\0b")]
    [InlineData("GET / HTTP/1.1|Host: a|X: a\u000Bb")]
    [InlineData("GET / HTTP/1.1|Host: a|X: a\u007Fb")]
    [InlineData("GET / HTTP/1.1|Host: a|X: a\u00E9b")]
    [InlineData("GET / HTTP/1.1|Host: a|X: a\rb")]
    [InlineData("GET / HTTP/1.1|Host: a|X: a\nY: b")]
    [InlineData("GET / HTTP/1.1|Host: a\n")]
    [InlineData("GET / HTTP/1.1\n|Host: a")]
    // Framing.
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: +10")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: -0")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 0x10")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 1 0")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 10,10")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length:")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 9223372036854775808")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 18446744073709551621")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 5|Content-Length: 5")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 5|Content-Length: 6")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Length: 5|Transfer-Encoding: chunked")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked|Content-Length: 0")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked|Transfer-Encoding: chunked")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: identity|Transfer-Encoding: chunked")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: gzip, chunked")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked, identity")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: \"chunked\"")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: chunked;q=1")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding: xchunked")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding:\u000Bchunked")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding:")]
    [InlineData("POST / HTTP/1.1|Host: a|Transfer-Encoding : chunked")]
    // What the head disowns.
    [InlineData("POST / HTTP/1.1|Host: a|Connection: Content-Length|Content-Length: 5")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: Host")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: Cookie|Cookie: a=b")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: X-Forwarded-For")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: close;x")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: close x")]
    // Other protocols.
    [InlineData("GET / HTTP/1.1|Host: a|Connection: Upgrade")]
    [InlineData("GET / HTTP/1.1|Host: a|Upgrade: websocket")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: Upgrade, HTTP2-Settings|Upgrade: h2c|HTTP2-Settings: AAMAAABkAAQ")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: Upgrade|Upgrade: websocket|Content-Length: 0")]
    [InlineData("GET / HTTP/1.1|Host: a|Connection: Upgrade|Upgrade: websocket|Upgrade: websocket")]
    [InlineData("POST / HTTP/1.1|Host: a|Content-Type: Application/GRPC+proto")]
    [InlineData("GET / HTTP/1.1|Host: a|Authorization: negotiate YII=")]
    [InlineData("GET / HTTP/1.1|Host: a|Proxy-Authorization: NTLM")]
    [InlineData("POST / HTTP/1.1|Host: a|Expect: 200-ok|Content-Length: 1")]
    [InlineData("POST / HTTP/1.1|Host: a|Expect: 100-continue|Expect: 100-continue|Content-Length: 1")]
    public void Parse_InDoubt_HandsOnWhole(string lines)
    {
        Assert.Equal(HeadVerdict.HandOn, Parse(Head(lines), out var request));
        Assert.Equal(0, request.HeadLength);
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n")]
    [InlineData("SSH-2.0-OpenSSH\r\n")]
    [InlineData("GET / HTTP/1.1\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\n")]
    [InlineData("\r\n")]
    [InlineData("\n")]
    public void Parse_LineThatIsNotOurs_HandsOnBeforeTheHeadIsWhole(string start)
    {
        Assert.Equal(HeadVerdict.HandOn, Parse(start, out _));
        Assert.Equal(HeadVerdict.Incomplete, Parse(start[..^1], out _));
    }

    [Theory]
    [InlineData("Connection: close", false, false)]
    [InlineData("Connection: keep-alive, CLOSE", false, false)]
    [InlineData("Connection: ,keep-alive,,TE", true, false)]
    [InlineData("Connection: X-Hop, keep-alive", true, true)]
    public void Parse_Connection_SaysWhatStays(string line, bool keepAlive, bool namesHeaders)
    {
        Assert.Equal(HeadVerdict.Taken, Parse(Head($"GET / HTTP/1.1|Host: a|{line}"), out var request));
        Assert.Equal((keepAlive, namesHeaders), (request.KeepAlive, request.NamesHeaders));
    }

    [Theory]
    [InlineData("GET", true, false)]
    [InlineData("HEAD", true, true)]
    [InlineData("OPTIONS", true, false)]
    [InlineData("DELETE", false, false)]
    [InlineData("PROPFIND", false, false)]
    public void Parse_Method_SaysWhatItDoes(string method, bool isSafe, bool isHead)
    {
        Assert.Equal(HeadVerdict.Taken, Parse(Head($"{method} / HTTP/1.1|Host: a|Expect: 100-Continue"), out var request));
        Assert.Equal((isSafe, isHead, true), (request.IsSafe, request.IsHead, request.ExpectsContinue));
    }

    [Fact]
    public void Parse_WebSocketHandshake_IsAnUpgrade()
    {
        Assert.Equal(HeadVerdict.Taken, Parse(Head("GET /chat HTTP/1.1|Host: a|Connection: keep-alive, Upgrade|Upgrade: WebSocket"), out var request));
        Assert.True(request.IsUpgrade);
    }

    // Also where it is no plain request; what it is beyond that is for others to say.
    [Theory]
    [InlineData("GET /chat HTTP/1.1|Host: a|Connection: Upgrade|Upgrade: WebSocket", true)]
    [InlineData("GET /chat HTTP/1.1|Connection: Upgrade, Cookie|Cookie: a|upgrade:websocket", true)]
    [InlineData("GET /chat HTTP/1.1|Upgrade: h2c|Upgrade: websocket", true)]
    [InlineData("GET /chat HTTP/1.1|Host: a|Connection: Upgrade|Upgrade: h2c", false)]
    [InlineData("GET /chat HTTP/1.1|Host: a|X-Upgrade: websocket", false)]
    [InlineData("GET /chat HTTP/1.1|Bad header: a|Upgrade: websocket", false)]
    [InlineData("GET /chat HTTP/1.1", false)]
    public void AsksForWebSocket_AnyHead_IsFoundOnlyIfItIsWhole(string lines, bool expected)
    {
        var bytes = Encoding.Latin1.GetBytes(Head(lines));
        Assert.Equal(expected, DirectRequestParser.AsksForWebSocket(bytes));
        Assert.Equal(expected, DirectRequestParser.AsksForWebSocket([.. bytes, .. "and more"u8]));
        Assert.False(DirectRequestParser.AsksForWebSocket(bytes.AsSpan(0, bytes.Length - 1)));
        Assert.False(DirectRequestParser.AsksForWebSocket([.. "GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8, .. bytes]));
    }

    [Fact]
    public void Parse_EverySplit_GivesTheSameAndSearchesNothingTwice()
    {
        var bytes = Encoding.Latin1.GetBytes(Plain + "hello");
        var searched = 0;
        for (var length = 0; length < Plain.Length; length++)
        {
            Assert.Equal(HeadVerdict.Incomplete, DirectRequestParser.Parse(bytes.AsSpan(0, length), HeadLimits.Default, ref searched, out _));
            Assert.Equal(length, searched);
            var once = 0;
            Assert.Equal(HeadVerdict.Incomplete, DirectRequestParser.Parse(bytes.AsSpan(0, length), HeadLimits.Default, ref once, out _));
            Assert.Equal(HeadVerdict.Taken, DirectRequestParser.Parse(bytes, HeadLimits.Default, ref once, out var whole));
            Assert.Equal(Plain.Length, whole.HeadLength);
        }

        Assert.Equal(HeadVerdict.Taken, DirectRequestParser.Parse(bytes.AsSpan(0, Plain.Length), HeadLimits.Default, ref searched, out var request));
        Assert.Equal((Plain.Length, 5L), (request.HeadLength, request.ContentLength));
    }

    [Theory]
    [InlineData(0, 0, 0, nameof(HeadVerdict.Taken))]
    [InlineData(-1, 0, 0, nameof(HeadVerdict.HandOn))]
    [InlineData(0, -1, 0, nameof(HeadVerdict.HandOn))]
    [InlineData(0, 0, -1, nameof(HeadVerdict.HandOn))]
    public void Parse_Limits_AreKept(int bytes, int line, int headers, string expected)
    {
        var limits = new HeadLimits(Plain.Length + bytes, Plain.IndexOf('\n', StringComparison.Ordinal) + 1 + line, 3 + headers);
        var searched = 0;

        Assert.Equal(expected, DirectRequestParser.Parse(Encoding.Latin1.GetBytes(Plain), limits, ref searched, out _).ToString());
    }

    [Fact]
    public void Parse_HeadWithoutAnEnd_IsHandedOnAtTheLimit()
    {
        var limits = new HeadLimits(64, 64, 10);
        var bytes = Encoding.Latin1.GetBytes("GET / HTTP/1.1\r\nHost: a\r\nX: " + new string('y', 100));
        var searched = 0;

        Assert.Equal(HeadVerdict.Incomplete, DirectRequestParser.Parse(bytes.AsSpan(0, 63), limits, ref searched, out _));
        Assert.Equal(HeadVerdict.HandOn, DirectRequestParser.Parse(bytes.AsSpan(0, 64), limits, ref searched, out _));
    }

    [Fact]
    public void Parse_PipelinedRequests_AreTakenOneByOne()
    {
        var text = Plain + "helloGET /second HTTP/1.1\r\nHost: b\r\n\r\nGET /third HTTP/1.0\r\n\r\n";
        Assert.Equal(HeadVerdict.Taken, Parse(text, out var first));
        var rest = text[(first.HeadLength + (int)first.ContentLength)..];
        Assert.Equal(HeadVerdict.Taken, Parse(rest, out var second));
        Assert.Equal(HeadVerdict.HandOn, Parse(rest[second.HeadLength..], out _));
    }

    [Fact]
    public void Parse_AllocatesNothing()
    {
        var bytes = Encoding.Latin1.GetBytes(Plain.Replace("example.test", "[2001:db8::1]", StringComparison.Ordinal));
        var searched = 0;
        DirectRequestParser.Parse(bytes, HeadLimits.Default, ref searched, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) DirectRequestParser.Parse(bytes, HeadLimits.Default, ref searched, out _);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal static string Head(string lines) => lines.Replace("|", "\r\n", StringComparison.Ordinal) + "\r\n\r\n";

    internal static HeadVerdict Parse(string text, out DirectRequest request)
    {
        var searched = 0;
        return DirectRequestParser.Parse(Encoding.Latin1.GetBytes(text), HeadLimits.Default, ref searched, out request);
    }
}
