using System.Net;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

/// <summary>Which pool has the TLS of which server name.</summary>
public sealed class ServerNameTests
{
    [Theory]
    [InlineData("mail.example.com", "mail")]
    [InlineData("other.example.com", "wild")]
    [InlineData("x.mail.example.com", null)]
    [InlineData("a.b.example.com", null)]
    [InlineData("example.com", null)]
    [InlineData("notexample.com", null)]
    [InlineData("x.eu.example.com", "wild-eu")]
    [InlineData("eu.example.com", "wild")]
    [InlineData("com", null)]
    [InlineData("upper.example.org", "upper")]
    public void Match_Name_IsExactBeforeOneLabelOfAWildcard(string name, string? pool)
    {
        var matcher = new PoolMatcher(Registry().Current);

        Assert.True(matcher.HasServerNames);
        Assert.Equal(pool, matcher.MatchServerName(name)?.Name);
    }

    [Fact]
    public void Match_Request_NeverFindsAPoolThatIsPassedThrough()
    {
        var matcher = new PoolMatcher(Registry().Current);

        Assert.Null(matcher.Match("mail.example.com", "/"));
        Assert.Equal("web", matcher.Match("web.example.com", "/")?.Name);
    }

    [Fact]
    public void Match_WithoutSuchPools_HasNoNames()
    {
        var matcher = new PoolMatcher(Fleet.Registry(new StickyWsOptions { Pools = { ["web"] = Web() } }).Current);

        Assert.False(matcher.HasServerNames);
        Assert.Null(matcher.MatchServerName("web.example.com"));
    }

    [Fact]
    public async Task Decide_ClientAddress_KeepsTheClientOnItsBackend()
    {
        var registry = Registry();
        var rig = new DispatchRig(registry);
        Assert.True(rig.Dispatcher.HasServerNames);
        var backends = new HashSet<string>();
        for (var client = 1; client < 30; client++)
        {
            var peer = IPAddress.Parse($"10.0.0.{client}");
            var first = await LeaseAsync(rig, peer);
            Assert.Equal(first, await LeaseAsync(rig, peer));
            backends.Add(first);
        }

        Assert.Equal(3, backends.Count);
    }

    [Fact]
    public async Task Decide_UnknownName_IsNobodys()
        => Assert.Null(await new DispatchRig(Registry()).Dispatcher.DecideAsync("nobody.example.net", IPAddress.Loopback));

    private static async Task<string> LeaseAsync(DispatchRig rig, IPAddress peer)
    {
        var decision = await rig.Dispatcher.DecideAsync("mail.example.com", peer);
        Assert.Equal("mail", decision!.Pool.Name);
        Assert.True(decision.TryNext(out var lease));
        using (lease) return lease.Backend.Name;
    }

    private static BackendRegistry Registry()
    {
        var mail = Pass("mail.example.com");
        mail.Affinity.Rules.Add(new AffinityRuleOptions { ClientAddress = new() });
        return Fleet.Registry(new StickyWsOptions
        {
            Pools =
            {
                ["mail"] = mail,
                ["wild"] = Pass("*.example.com"),
                ["wild-eu"] = Pass("*.eu.example.com"),
                ["upper"] = Pass("Upper.Example.ORG"),
                ["web"] = Web(),
            },
        });
    }

    private static PoolOptions Web() => new() { Match = { Hosts = { "web.example.com" } }, Backends = { ["a"] = new() { Address = "http://127.0.0.1:80" } } };

    private static PoolOptions Pass(string name) => new()
    {
        Tls = { Mode = PoolTlsMode.Passthrough },
        Match = { ServerNames = { name } },
        Backends =
        {
            ["a"] = new() { Address = "tcp://127.0.0.1:1" },
            ["b"] = new() { Address = "tcp://127.0.0.1:2" },
            ["c"] = new() { Address = "tcp://127.0.0.1:3" },
        },
    };
}
