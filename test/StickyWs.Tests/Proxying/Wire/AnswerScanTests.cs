using System.Text;
using StickyWs.Proxying;

namespace StickyWs.Tests.Proxying;

public sealed class AnswerScanTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", 200)]
    [InlineData("HTTP/1.0 413 \r\n", 413)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n", 101)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\n", 403)]
    [InlineData("HTTP/1.1 100\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: HTTP/1.1 500\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204)]
    [InlineData("HTTP/1.1 100 Continue\nA: b\n\nHTTP/1.1 404 Not Found\n", 404)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", 0)]
    [InlineData("HTTP/1.1 10", 0)]
    [InlineData("", 0)]
    public void Feed_AnySplit_FindsTheFinalStatus(string text, int expected)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var split = 0; split <= bytes.Length; split++)
        {
            var scan = default(AnswerScan);
            scan.Feed(bytes.AsSpan(0, split));
            scan.Feed(bytes.AsSpan(split));
            Assert.Equal(expected, scan.Final);
        }
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n\r\n")]
    [InlineData("HTTP/1.1 abc OK\r\n\r\n")]
    [InlineData("\0\0\0\u0004\0\0\0\0\0\0\0\0\0\0")]
    public void Feed_Nonsense_IsHarmless(string text)
    {
        var scan = default(AnswerScan);
        scan.Feed(Encoding.Latin1.GetBytes(text));
        scan.Feed(Encoding.Latin1.GetBytes(text));
    }
}
