using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1;

public sealed class RefusalTests
{
    [Fact]
    public void ToBytes_Refusal_IsAWholeAnswerThatClosesTheConnection()
        => Assert.Equal(
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 46\r\nConnection: close\r\n\r\n"
                + "502 Bad Gateway: No backend could be reached.\n",
            Encoding.ASCII.GetString(Refusal.NotReached.ToBytes()));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.1, "1")]
    [InlineData(1, "1")]
    [InlineData(90.5, "91")]
    public void RetryAfter_Time_IsSaidInWholeSeconds(double seconds, string expected)
        => Assert.Contains($"\r\nRetry-After: {expected}\r\n",
            Encoding.ASCII.GetString(Refusal.Held.RetryAfter(TimeSpan.FromSeconds(seconds)).ToBytes()), StringComparison.Ordinal);
}
