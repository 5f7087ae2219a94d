using System.Text;
using StickyWs.Backends;
using StickyWs.Http1;

namespace StickyWs.Tests.Backends;

public sealed class RetriesTests
{
    [Fact]
    public void TryAfterNoAnswer_SafeRequest_IsRepeatedOnce()
    {
        var retries = default(Retries);

        Assert.Equal([true, false, false], [retries.TryAfterNoAnswer(isSafe: true), retries.TryAfterNoAnswer(isSafe: true),
            retries.TryAfterNoAnswer(isSafe: true)]);
    }

    [Fact]
    public void TryAfterNoAnswer_RequestThatMayHaveBeenActedOn_IsNotRepeated() => Assert.False(default(Retries).TryAfterNoAnswer(isSafe: false));

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    public void AfterConnect_NothingWasSent_GoesOnUnlessNoConnectionCanBeHad(bool isOutOfResources, bool canUseKept, bool expected)
        => Assert.Equal(expected, Retries.AfterConnect(isOutOfResources, canUseKept));

    [Theory]
    [InlineData("GET", true)]
    [InlineData("HEAD", true)]
    [InlineData("OPTIONS", true)]
    [InlineData("TRACE", true)]
    [InlineData("POST", false)]
    [InlineData("PUT", false)]
    [InlineData("DELETE", false)]
    [InlineData("PATCH", false)]
    [InlineData("GETS", false)]
    [InlineData("", false)]
    public void SafeMethods_OfBytesOrCharacters_AreThoseThatChangeNothing(string method, bool expected)
    {
        Assert.Equal(expected, SafeMethods.Contain(method.AsSpan()));
        Assert.Equal(expected, SafeMethods.Contain<byte>(Encoding.ASCII.GetBytes(method)));
    }
}
