using System.Text;
using StickyWs.Detection;
using StickyWs.Http1;

namespace StickyWs.Tests.Detection;

public sealed class UpgradeParsingTests
{
    private const string Rest = "Host: a\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n";

    [Theory]
    [InlineData("GET", "/attach?x=%2F", "")]
    [InlineData("POST", "/", "Content-Length: 0\r\n")]
    [InlineData("POST", "/a%2Fb", "X: \u00e9\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: none\r\n")]
    public void ParseUpgrade_FlawlessRequest_HoldsItsParts(string method, string target, string headers)
    {
        var head = Parse($"{method} {target} HTTP/1.1\r\n{Rest}{headers}\r\n", method)!;

        Assert.Equal(method, Encoding.ASCII.GetString(head.Method));
        Assert.Equal(target, Encoding.ASCII.GetString(head.Target));
        Assert.Equal("a", head.Host);
        Assert.Equal("tcp", Encoding.ASCII.GetString(head.Upgrades!.Value.Span));
        Assert.True(head.Key.IsEmpty);
        Assert.Equal(method == "GET", head.IsRepeatable);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\nHost: b\r\n{Rest}\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a b\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: tcp\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: tcp\r\nConnection: keep-alive\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: tcp\r\nConnection: close, Upgrade\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: tcp\r\nConnection: Host, Upgrade\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}Content-Length: 1\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}Content-Length: 00\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}Content-Length: 0\r\nContent-Length: 0\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}Transfer-Encoding: chunked\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}Expect: 100-continue\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}X : y\r\n\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}X: y\r\n z\r\n\r\n")]
    [InlineData($"GET /a b HTTP/1.1\r\n{Rest}\r\n")]
    [InlineData($"GET * HTTP/1.1\r\n{Rest}\r\n")]
    [InlineData($"GET http://a/ HTTP/1.1\r\n{Rest}\r\n")]
    [InlineData($"POST / HTTP/1.1\r\n{Rest}\r\n")]
    [InlineData($"GET / HTTP/1.0\r\n{Rest}\r\n")]
    [InlineData($"GET / HTTP/1.1\r\n{Rest}")]
    [InlineData("")]
    public void ParseUpgrade_HeadWithAFlaw_IsNone(string text) => Assert.Null(Parse(text, "GET"));

    private static RequestHead? Parse(string text, string method)
        => HandshakeParser.ParseUpgrade(Encoding.Latin1.GetBytes(text), Encoding.ASCII.GetBytes(method + " "), "tcp"u8.ToArray());
}
