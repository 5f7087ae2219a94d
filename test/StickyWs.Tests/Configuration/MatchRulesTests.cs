namespace StickyWs.Tests.Configuration;

public sealed class MatchRulesTests
{
    [Theory]
    [InlineData("chat.example.com")]
    [InlineData("*.example.com")]
    [InlineData("localhost")]
    [InlineData("10.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("my_host")]
    public void Check_UsableHost_IsTaken(string host) => Assert.Empty(Written.ErrorsOf(("Pools:chat:Match:Hosts:0", host)));

    // Neither can ever equal a Host header: there an IPv6 address stands in brackets, and a name is ASCII (RFC 9110 section 7.2).
    [Theory]
    [InlineData("::1")]
    [InlineData("b\u00fccher.example")]
    [InlineData("*.[::1]")]
    [InlineData("[chat]")]
    [InlineData("")]
    public void Check_HostThatNoClientSends_IsOneError(string host)
        => Assert.StartsWith(
            $"StickyWs:Pools:chat:Match:Hosts:0 is '{host}': ",
            Assert.Single(Written.ErrorsOf(("Pools:chat:Match:Hosts:0", host))),
            StringComparison.Ordinal);
}
