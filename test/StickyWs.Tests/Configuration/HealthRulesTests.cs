namespace StickyWs.Tests.Configuration;

public sealed class HealthRulesTests
{
    [Fact]
    public void Check_TwoKindsOfProbe_IsOneErrorThatNamesThem()
        => Assert.Equal(
            ["StickyWs:Pools:chat:Health is 'Http, Tcp': keep one kind of probe per pool."],
            Written.ErrorsOf(("Pools:chat:Health:Http:Path", "/"), ("Pools:chat:Health:Tcp:Rise", "1")));

    [Fact]
    public void Check_ThreeKindsOfProbe_IsOneErrorThatNamesThem()
        => Assert.Equal(
            ["StickyWs:Pools:chat:Health is 'Http, Tcp, WebSocket': keep one kind of probe per pool."],
            Written.ErrorsOf(("Pools:chat:Health:Http:Path", "/"), ("Pools:chat:Health:Tcp:Rise", "1"), ("Pools:chat:Health:WebSocket:Path", "/")));

    // The WebSocket probe writes it into its handshake as it is.
    [Theory]
    [InlineData("Http", "a b")]
    [InlineData("Http", "a\r\nX: y")]
    [InlineData("WebSocket", "a\r\nX: y")]
    [InlineData("WebSocket", "b\u00fccher.example")]
    public void Check_HostThatNoClientSends_IsOneError(string kind, string host)
        => Assert.StartsWith(
            $"StickyWs:Pools:chat:Health:{kind}:Host is '{host}': use a host",
            Assert.Single(Written.ErrorsOf(($"Pools:chat:Health:{kind}:Host", host))),
            StringComparison.Ordinal);

    [Fact]
    public void Check_EmptyHostFromCode_IsOneError()
    {
        var options = Written.Keys();
        options.Pools["chat"].Health.Http = new() { Host = "" };

        Assert.StartsWith("StickyWs:Pools:chat:Health:Http:Host is '': ", Assert.Single(Written.Errors(options)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X Y")]
    [InlineData("X\u00e9")]
    [InlineData("")]
    public void Check_HeaderNameThatIsNoToken_IsOneError(string name)
    {
        var options = Written.Keys();
        options.Pools["chat"].Health.Http = new() { Headers = { [name] = "v" } };

        Assert.StartsWith($"StickyWs:Pools:chat:Health:Http:Headers:{name} is 'v': ", Assert.Single(Written.Errors(options)), StringComparison.Ordinal);
    }
}
