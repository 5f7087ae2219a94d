using System.Text;
using StickyWs.Http1;
using StickyWs.Tests.Affinity;

namespace StickyWs.Tests.Http1;

/// <summary>Reading headers of an answer by name and place, and adding one.</summary>
public sealed class AnswerHeadTests
{
    private const string Headers = "Set-Cookie: a=1\r\nServer: x\r\nset-cookie: b=2; Path=/, c\r\nSet-Cookie:\r\nX-Latin: \u00e9\u00ff\r\nContent-Language: de";

    [Theory]
    [InlineData("Set-Cookie", 0, "a=1")]
    [InlineData("SET-COOKIE", 1, "b=2; Path=/, c")]
    [InlineData("Set-Cookie", 2, "")]
    [InlineData("Set-Cookie", 3, null)]
    [InlineData("X-Latin", 0, "\u00e9\u00ff")]
    [InlineData("X-Latin", 1, null)]
    [InlineData("Content-Language", 0, "de")]
    [InlineData("Server", 0, "x")]
    [InlineData("X-None", 0, null)]
    [InlineData("Set", 0, null)]
    public void TryRead_FromEitherLane_IsThatOne(string name, int occurrence, string? expected)
    {
        var value = new byte[64];
        foreach (var answer in Views.Answers(Headers))
        {
            Assert.Equal(expected is not null, answer.TryRead(name, occurrence, value, out var length));
            Assert.Equal(expected ?? "", Encoding.Latin1.GetString(value, 0, length));
        }
    }

    [Fact]
    public void TryRead_ValueThatDoesNotFit_IsThereAndEmpty()
    {
        foreach (var answer in Views.Answers("X-Long: 12345"))
        {
            Assert.True(answer.TryRead("X-Long", 0, new byte[4], out var length));
            Assert.Equal(0, length);
            Assert.True(answer.TryRead("X-Long", 0, new byte[5], out length));
            Assert.Equal(5, length);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")]
    [InlineData("HTTP/1.1 200\r\n\r\n")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    public void With_OneMoreHeader_IsTheSameHeadWithIt(string text)
    {
        var length = ResponseHead.TryParse(Encoding.Latin1.GetBytes(text), out var head);
        Assert.Equal(text.Length, length);

        var with = head!.With("Set-Cookie", "StickyWs=abc; path=/").With("StickyWs-Backend", "web%201");

        Assert.Equal((head.Status, head.Framing, head.ContentLength), (with.Status, with.Framing, with.ContentLength));
        Assert.True(head.Reason.SequenceEqual(with.Reason));
        Assert.Equal([.. Lines(head), "Set-Cookie: StickyWs=abc; path=/", "StickyWs-Backend: web%201"], Lines(with));
        Assert.Equal(head.Opens("dGhlIHNhbXBsZSBub25jZQ=="u8), with.Opens("dGhlIHNhbXBsZSBub25jZQ=="u8));
    }

    private static List<string> Lines(ResponseHead head)
    {
        List<string> lines = [];
        var headers = head.ReadHeaders();
        while (headers.Read()) lines.Add($"{Encoding.Latin1.GetString(headers.Name)}: {Encoding.Latin1.GetString(headers.Value)}");
        Assert.False(headers.IsMalformed);
        return lines;
    }
}
