using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Dispatch;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Dispatch;

public sealed class PoolMatcherTests
{
    // name | hosts | path prefixes
    private static readonly string[] Everything =
    [
        "exact | chat.example.com |",
        "exact-api | chat.example.com | /api",
        "exact-api-v2 | chat.example.com | /api/v2/",
        "wild | *.example.com |",
        "wild-long | *.eu.example.com |",
        "wild-admin | *.example.com | /admin",
        "any-docs | | /docs",
        "any | |",
        "v6 | [::1] |",
        "v4 | 10.0.0.1 |",
    ];

    [Theory]
    [InlineData("chat.example.com", "/", "exact")]
    [InlineData("chat.example.com", "/api", "exact-api")]
    [InlineData("chat.example.com", "/api/", "exact-api")]
    [InlineData("chat.example.com", "/api/x", "exact-api")]
    [InlineData("chat.example.com", "/apix", "exact")]
    [InlineData("chat.example.com", "/api/v2", "exact-api-v2")]
    [InlineData("chat.example.com", "/api/v2/x", "exact-api-v2")]
    [InlineData("chat.example.com", "/api/v20", "exact-api")]
    [InlineData("chat.example.com", "/API/V2/x", "exact-api-v2")]
    [InlineData("CHAT.Example.COM", "/", "exact")]
    [InlineData("chat.example.com:8080", "/", "exact")]
    [InlineData("chat.example.com:", "/", "exact")]
    [InlineData("chat.example.com", "/admin", "exact")]
    [InlineData("chat.example.com", "/docs", "exact")]
    [InlineData("other.example.com", "/", "wild")]
    [InlineData("a.b.example.com", "/", "wild")]
    [InlineData("other.example.com", "/admin/x", "wild-admin")]
    [InlineData("other.example.com", "/administrator", "wild")]
    [InlineData("other.example.com", "/docs", "wild")]
    [InlineData("x.eu.example.com", "/", "wild-long")]
    [InlineData("x.eu.example.com", "/admin", "wild-long")]
    [InlineData("eu.example.com", "/", "wild")]
    [InlineData("X.EU.EXAMPLE.COM:443", "/", "wild-long")]
    [InlineData("example.com", "/", "any")]
    [InlineData(".example.com", "/", "any")]
    [InlineData("notexample.com", "/", "any")]
    [InlineData("chat.example.com.evil.org", "/", "any")]
    [InlineData("example.org", "/docs", "any-docs")]
    [InlineData("example.org", "/docs/a", "any-docs")]
    [InlineData("example.org", "/docsx", "any")]
    [InlineData("", "/", "any")]
    [InlineData("", "/docs", "any-docs")]
    [InlineData("[::1]", "/", "v6")]
    [InlineData("[::1]:8080", "/", "v6")]
    [InlineData("[::2]:8080", "/", "any")]
    [InlineData("10.0.0.1", "/", "v4")]
    [InlineData("10.0.0.1:80", "/", "v4")]
    [InlineData("10.0.0.11", "/", "any")]
    public void Match_Request_IsThePoolThatFitsBest(string host, string path, string expected)
    {
        Assert.Equal(expected, Matcher(Everything).Match(host, path)?.Name);

        // The order in which pools were written, or their names sort, must not matter.
        Assert.Equal(expected, Matcher([.. Everything.Reverse().Select((pool, i) => $"{i:00}-{pool}")]).Match(host, path)?.Name[3..]);
    }

    [Theory]
    [InlineData("chat.example.com", "/other")]
    [InlineData("example.org", "/chat")]
    [InlineData("", "/chat")]
    [InlineData("chat.example.com", "")]
    [InlineData("chat.example.com", "*")]
    [InlineData("chat.example.com", "chat")]
    public void Match_RequestThatFitsNone_IsNone(string host, string path)
        => Assert.Null(Matcher(["chat | chat.example.com | /chat"]).Match(host, path));

    [Fact]
    public void Match_NoPools_IsNone() => Assert.Null(new PoolMatcher(RegistrySnapshot.Empty).Match("h", "/"));

    [Theory]
    [InlineData("a.example", "/x", true)]
    [InlineData("b.example", "/y/z", true)]
    [InlineData("b.example", "/x", true)]
    [InlineData("c.example", "/x", false)]
    [InlineData("a.example", "/z", false)]
    public void Match_SeveralHostsAndPrefixes_FitInAnyPairing(string host, string path, bool fits)
        => Assert.Equal(fits, Matcher(["p | a.example b.example | /x /y"]).Match(host, path) is not null);

    [Fact]
    public void Match_HostThatFitsOnAPathThatDoesNot_FallsToTheNextBest()
        => Assert.Equal("wild", Matcher(["exact | chat.example.com | /chat", "wild | *.example.com |"]).Match("chat.example.com", "/other")?.Name);

    [Fact]
    public void Follow_ChangeOfHealth_GivesTheNewSnapshotsPool()
    {
        var registry = Fleet.Registry(Fleet.Options(1, 1));
        var matcher = new PoolMatcher(registry.Current);
        registry.Report(Fleet.PoolOf(registry).Backends[0], BackendState.Unhealthy, "test");
        Assert.False(matcher.IsFor(registry.Current));

        matcher = matcher.Follow(registry.Current);

        Assert.True(matcher.IsFor(registry.Current));
        Assert.Same(Fleet.PoolOf(registry), matcher.Match("h", "/"));
    }

    [Fact]
    public void Follow_ChangeOfConfiguration_GoesByTheNewRules()
    {
        var registry = Fleet.Registry(Fleet.Options(1));
        var matcher = new PoolMatcher(registry.Current);

        registry.Apply(Fleet.Options(pool => pool.Match.PathPrefixes.Add("/chat"), 1));

        matcher = matcher.Follow(registry.Current);
        Assert.Null(matcher.Match("h", "/"));
        Assert.NotNull(matcher.Match("h", "/chat"));
    }

    private static PoolMatcher Matcher(string[] pools)
    {
        var options = new StickyWsOptions();
        foreach (var parts in pools.Select(pool => pool.Split('|', StringSplitOptions.TrimEntries)))
        {
            var pool = options.Pools[parts[0]] = new PoolOptions { Backends = { ["a"] = new() { Address = "http://127.0.0.1:5000" } } };
            foreach (var host in parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)) pool.Match.Hosts.Add(host);
            foreach (var prefix in parts[2].Split(' ', StringSplitOptions.RemoveEmptyEntries)) pool.Match.PathPrefixes.Add(prefix);
        }

        return new PoolMatcher(Fleet.Registry(options).Current);
    }
}
