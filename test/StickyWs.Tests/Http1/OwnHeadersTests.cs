using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1;

public sealed class OwnHeadersTests
{
    [Theory]
    [InlineData("StickyWs-Pin", true)]
    [InlineData("stickyws-pin", true)]
    [InlineData("STICKYWS-MOVED-FROM", true)]
    [InlineData("StickyWs-Backend", true)]
    [InlineData("stickyws_pin", true)]
    [InlineData("StickyWs_Moved_From", true)]
    [InlineData("StickyWs-", true)]
    [InlineData("StickyWs-anything", true)]
    [InlineData("StickyWs", false)]
    [InlineData("StickyWsPin", false)]
    [InlineData("StickyWs.Pin", false)]
    [InlineData("X-StickyWs-Pin", false)]
    [InlineData("Sticky-Ws-Pin", false)]
    [InlineData("Cookie", false)]
    [InlineData("", false)]
    public void IsOne_Name_GoesByItsPrefix(string name, bool isOne)
    {
        Assert.Equal(isOne, OwnHeaders.IsOne(name.AsSpan()));
        Assert.Equal(isOne, OwnHeaders.IsOne(Encoding.ASCII.GetBytes(name)));
    }
}
