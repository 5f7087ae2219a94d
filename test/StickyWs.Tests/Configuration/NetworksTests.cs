using System.Net;
using StickyWs.Configuration;

namespace StickyWs.Tests.Configuration;

public sealed class NetworksTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.3", true)]
    [InlineData("10.1.2.3", "10.1.2.4", false)]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.9.9.9", true)]
    [InlineData("::ffff:10.0.0.0/104", "11.0.0.0", false)]
    [InlineData("fd00::/8", "fd12::1", true)]
    [InlineData("fd00::/8", "fe80::1", false)]
    [InlineData("::1", "::1", true)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "::1", false)]
    public void Contains_Address_IsJudgedByTheNetwork(string network, string address, bool expected)
        => Assert.Equal(expected, new Networks([network]).Contains(IPAddress.Parse(address)));

    [Fact]
    public void Contains_NoAddressOrNoNetwork_IsFalse()
    {
        Assert.False(new Networks(["0.0.0.0/0"]).Contains(null));
        Assert.False(new Networks([]).Contains(IPAddress.Loopback));
    }

    // The framework reads these as addresses (0.0.0.10, 10.0.0.1), which is not what anybody means who writes them.
    [Theory]
    [InlineData("10")]
    [InlineData("10.1")]
    [InlineData("0x7f.1")]
    public void TryParse_ShorthandAddress_IsRefused(string text) => Assert.False(Networks.TryParse(text, out _));
}
