using System.Buffers;
using System.Text;
using StickyWs.Detection;
using StickyWs.Http1;
using StickyWs.TestKit;

namespace StickyWs.Tests.Http1;

public sealed class RequestHeadTests
{
    [Fact]
    public void Head_OfAHandshake_HoldsItsPartsByteForByte()
    {
        var head = Parse(HttpHead.Handshake("/a//b?c=%2F&d=/../", "X-One: 1\r\nx-one:  2 \r\n"));

        Assert.Equal("/a//b?c=%2F&d=/../", Encoding.ASCII.GetString(head.Target));
        Assert.Equal("/a//b", head.Path);
        Assert.Equal("example.test", head.Host);
        Assert.Equal(HttpHead.Key, Encoding.ASCII.GetString(head.Key.Span));
        Assert.True(head.IsPlain);
        Assert.Equal(
            ["Host=example.test", "Upgrade=websocket", "Connection=Upgrade", "Sec-WebSocket-Version=13", $"Sec-WebSocket-Key={HttpHead.Key}",
                "X-One=1", "x-one=2"],
            Headers(head));
    }

    [Fact]
    public void Head_AfterItsBytesAreOverwritten_IsACopy()
    {
        var bytes = Encoding.Latin1.GetBytes(HttpHead.Handshake("/chat"));
        new Sniffer(HeadLimits.Default).Sniff(new ReadOnlySequence<byte>(bytes), out var head);

        Array.Fill(bytes, (byte)'x');

        Assert.Equal("/chat", head!.Path);
        Assert.Equal("example.test", head.Host);
        Assert.Equal(HttpHead.Key, Encoding.ASCII.GetString(head.Key.Span));
        Assert.Equal("Host=example.test", Headers(head)[0]);
    }

    [Theory]
    [InlineData("Connection", true)]
    [InlineData("upgrade", true)]
    [InlineData("Keep-Alive", true)]
    [InlineData("TE", true)]
    [InlineData("Trailer", true)]
    [InlineData("Proxy-Authorization", true)]
    [InlineData("Proxy-Authenticate", true)]
    [InlineData("Proxy-Authentication-Info", true)]
    [InlineData("Proxy-Connection", true)]
    [InlineData("HTTP2-Settings", true)]
    [InlineData("Transfer-Encoding", true)]
    [InlineData("X-Hop", true)]
    [InlineData("x-hop-two", true)]
    [InlineData("X-Hop-Three", false)]
    [InlineData("X", false)]
    [InlineData("Cookie", false)]
    [InlineData("Host", false)]
    [InlineData("Sec-WebSocket-Key", false)]
    public void IsHopByHop_ByNatureOrBecauseConnectionNamesIt(string name, bool expected)
        => Assert.Equal(expected, Parse(HttpHead.Handshake(headers: "Connection: X-Hop ,\tx-HOP-two\r\n")).IsHopByHop(Encoding.ASCII.GetBytes(name)));

    internal static RequestHead Parse(string text)
    {
        Assert.Equal(Verdict.WebSocket, new Sniffer(HeadLimits.Default).Sniff(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(text)), out var head));
        return head!;
    }

    private static List<string> Headers(RequestHead head)
    {
        List<string> found = [];
        var headers = head.ReadHeaders();
        while (headers.Read()) found.Add($"{Encoding.Latin1.GetString(headers.Name)}={Encoding.Latin1.GetString(headers.Value)}");
        Assert.False(headers.IsMalformed);
        return found;
    }
}
