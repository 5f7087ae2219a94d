namespace StickyWs.Tests.Configuration;

public sealed class UpgradeNameTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("SPDY/3.1")]
    [InlineData("tailscale-control-protocol")]
    [InlineData("connect-udp")]
    [InlineData("h2cx")]
    [InlineData("websockets")]
    [InlineData("IRC/6.9")]
    public void Check_OtherProtocol_IsTaken(string name) => Assert.Empty(Written.ErrorsOf(("Pools:chat:Upgrades:0", name)));

    [Theory]
    [InlineData("websocket", "remove it, since WebSockets are always tunnelled")]
    [InlineData("WebSocket", "remove it, since WebSockets are always tunnelled")]
    [InlineData("h2c", "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1")]
    [InlineData("H2C", "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1")]
    [InlineData("h2", "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1")]
    [InlineData("HTTP/2.0", "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1")]
    [InlineData("http", "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1")]
    [InlineData("TLS/1.2", "remove it, since requests within such a tunnel would bypass every rule; clients that offer it are served in HTTP/1.1")]
    public void Check_WhatIsNeverListed_IsOneErrorWithItsRemedy(string name, string remedy)
        => Assert.Equal(
            [$"StickyWs:Pools:chat:Upgrades:1 is '{name}': {remedy}."],
            Written.ErrorsOf(("Pools:chat:Upgrades:0", "tcp"), ("Pools:chat:Upgrades:1", name)));

    [Fact]
    public void Check_EmptyOrTooLong_IsOneErrorEach()
    {
        var options = Written.Keys();
        options.Pools["chat"].Upgrades.Add("");
        options.Pools["chat"].Upgrades.Add(new string('a', 101));

        Assert.Equal(
            [
                "StickyWs:Pools:chat:Upgrades:0 is not set: use the name of a protocol as clients write it into Upgrade, such as tcp or SPDY/3.1.",
                $"StickyWs:Pools:chat:Upgrades:1 is '{new string('a', 101)}': "
                    + "use the name of a protocol as clients write it into Upgrade, such as tcp or SPDY/3.1.",
            ],
            Written.Errors(options));
    }
}
