using System.Text;
using StickyWs.Http1;
using StickyWs.TestKit;

namespace StickyWs.Tests.Http1;

public sealed class WebSocketKeyTests
{
    [Fact]
    public void WriteAccept_SampleOfTheRfc_IsItsAnswer()
    {
        Span<byte> accept = stackalloc byte[28];

        WebSocketKey.WriteAccept(Encoding.ASCII.GetBytes(HttpHead.Key), accept);

        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Encoding.ASCII.GetString(accept));
    }

    [Fact]
    public void Create_Keys_AreValidAndDiffer()
    {
        var keys = Enumerable.Range(0, 100).Select(_ => WebSocketKey.Create()).ToArray();

        Assert.All(keys, key => Assert.True(WebSocketKey.IsValid(Encoding.ASCII.GetBytes(key))));
        Assert.Equal(keys.Length, keys.Distinct().Count());
    }

    [Theory]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA==", true)]
    [InlineData("+/+/+/+/+/+/+/+/+/+/+w==", true)]
    [InlineData("", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA=A", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAA", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAA A=", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAA-A==", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA==AAAA", false)]
    public void IsValid_Text_ExactlyWhenItIsSixteenBytes(string text, bool expected)
        => Assert.Equal(expected, WebSocketKey.IsValid(Encoding.ASCII.GetBytes(text)));
}
