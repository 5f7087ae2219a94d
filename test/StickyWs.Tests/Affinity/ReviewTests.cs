using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Affinity;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Pinning;
using StickyWs.Tests.Configuration;
using StickyWs.Tests.Dispatch;

namespace StickyWs.Tests.Affinity;

/// <summary>What a review of affinity found.</summary>
public sealed class ReviewTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(20);

    private readonly FakeTimeProvider _time = new();

    // A client whose network has changed comes back before its old tunnel is known to be dead.
    [Theory]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_WhileAnOlderTunnelIsOpenForHours_ComesToItsBackend(Way way)
    {
        var rig = new StickyRig(way, time: _time);
        var client = new StickyClient(rig);
        var first = await client.VisitAsync();
        var tunnel = await client.StayAsync();
        await PassAsync(TimeSpan.FromHours(3), rig);
        rig.Apply(pool => pool.Backends[first.Backend!].Enabled = false);

        Assert.Equal(first.Backend, (await client.VisitAsync()).Backend);
        tunnel.End();
        await PassAsync(Lifetime, rig);
        Assert.NotEqual(first.Backend, (await client.VisitAsync()).Backend);
        Assert.Equal(0, Open(rig).Count);
        rig.AssertIdle();
    }

    [Fact]
    public async Task Visit_ThroughAnotherInstanceWhileATunnelIsOpenForHours_ComesToItsBackend()
    {
        var store = new ScriptedPinStore(_time);
        var (one, other) = (Shared(store), Shared(store));
        var client = new StickyClient(one);
        var tunnel = await client.StayAsync();
        await PassAsync(TimeSpan.FromHours(3), one);
        for (var i = 0; i < 3; i++) Assert.Equal(tunnel.Backend, (await client.At(other).VisitAsync()).Backend);
        Assert.InRange(store.Saves.Count, 10, 60);
        tunnel.End();
    }

    // Its message was lost, and what the tunnel's instance knows is hours old.
    [Fact]
    public async Task Keep_PinThatAnotherInstanceMoved_StaysMoved()
    {
        var store = new ScriptedPinStore(_time);
        var rig = Shared(store);
        var client = new StickyClient(rig);
        var tunnel = await client.StayAsync();
        Assert.True(PinKey.TryParse(store.Saves[0].Split(' ')[0], out var key));
        var moved = tunnel.Backend == "a" ? "b" : "a";
        store[key] = moved;

        await PassAsync(TimeSpan.FromHours(1), rig);
        tunnel.End();

        Assert.Equal(moved, store[key]);
        Assert.Equal(moved, (await client.VisitAsync()).Backend);
    }

    [Fact]
    public async Task OpenClaims_ManyThatComeAndGo_HoldsThoseThatAreOpen()
    {
        var rig = new StickyRig(Way.Hash);
        var visits = new List<Visit>();
        for (var i = 0; i < 500; i++) visits.Add(await new StickyClient(rig, $"user{i}").StayAsync());
        Assert.Equal(500, Open(rig).Count);

        for (var i = 0; i < 500; i += 3) visits[i].End();
        Assert.Equal(333, Open(rig).Count);
        for (var i = 0; i < OpenClaims.Parts; i++) await Open(rig).KeepSomeAsync(default);
        for (var i = 0; i < 500; i++)
        {
            if (i % 3 != 0) visits[i].End();
        }

        Assert.Equal(0, Open(rig).Count);
        rig.AssertIdle();
    }

    // The last answer before it went is counted behind the verdict that it is away.
    [Theory]
    [InlineData(Way.Cookie)]
    [InlineData(Way.Pin)]
    [InlineData(Way.Hash)]
    public async Task Visit_BackendThatIsAwayThoughAGoodAnswerWasNotedLast_IsNotHeldForEver(Way way)
    {
        var rig = new StickyRig(way, pool => pool.Affinity.HoldFor = TimeSpan.FromMinutes(3), _time);
        var client = new StickyClient(rig);
        var first = (await client.VisitAsync()).Backend!;
        rig.Report(first, BackendState.Unhealthy);
        rig.Backend(first).NoteBack();

        Assert.Equal(NoBackendReason.Held, (await client.VisitAsync()).Why);
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.NotEqual(first, (await client.VisitAsync()).Backend ?? first);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("9", true)]
    [InlineData("97:0", true)]
    [InlineData("97:0{", true)]
    [InlineData(" \r\n{\"a\":{\"b\":[1]}", true)]
    [InlineData("{\"a\":\"}", true)]
    [InlineData("\u0000\u0009\u0007\u00ff0{\"sid\":\"", true)]
    [InlineData("\u0000\u0009\u0007\u00ff0{\"sid\":\"a\"}", false)]
    [InlineData("{\"a\":1}", false)]
    [InlineData("{\"a\":1}{", false)]
    [InlineData("{a", false)]
    [InlineData("[", false)]
    [InlineData("data: {", false)]
    [InlineData("0123456789012345", true)]
    [InlineData("01234567890123456", false)]
    [InlineData("01234567890123456{", false)]
    public void IsPart_BeginningOfABody_IsOneOfTheirsThatGoesOn(string body, bool expected)
        => Assert.Equal(expected, TokenText.IsPart(Encoding.Latin1.GetBytes(body)));

    // Where keys come from a server that is away: it must cost no answer.
    [Fact]
    public void Issue_DataProtectionThatFails_IsNoCookieAndOneLogLine()
    {
        var logger = new FakeLogger<CookieSeals>();
        var options = new CookieAffinityOptions();
        var rule = new CookieRule(options, new CookieSeals(new BrokenDataProtection(), logger).For("chat", options), _time);

        for (var i = 0; i < 3; i++) Assert.Null(rule.Issue(PinKey.Random(), "a", isHttps: false));

        Assert.Equal((LogLevel.Error, "CookieNotSealed"), (Assert.Single(logger.Collector.GetSnapshot()).Level, logger.LatestRecord.Id.Name));
        Assert.False(rule.TryRead(Views.Sniffed(headers: "Cookie: StickyWs=AAAA"), [], out _));
    }

    // A cookie that lasts as long as the browser would hold the old key for as long.
    [Fact]
    public void TryRead_CookieOfAnOlderKey_IsDue()
    {
        var older = Keyed(1).Issue(PinKey.Random(), "a", isHttps: false);
        Assert.True(Read(Keyed(2, 1), older)!.Value.IsDue);
        Assert.False(Read(Keyed(1, 2), older)!.Value.IsDue);
    }

    // A sibling's domain, or an older configuration with another path, has set one as well.
    [Theory]
    [InlineData("{0}; StickyWs=AAAA", true)]
    [InlineData("StickyWs=AAAA; {0}", true)]
    [InlineData("StickyWs=; StickyWs; StickyWs=!; {0}", true)]
    [InlineData("StickyWs=AAAA; x=y\r\nCookie: StickyWs=AAAA; {0}", true)]
    [InlineData("StickyWs=A; StickyWs=B; StickyWs=C; {0}", false)]
    public void TryRead_SeveralOfThatName_IsTheFirstThatIsOurs(string cookies, bool isRead)
    {
        var (rule, pin) = (Keyed(1), PinKey.Random());
        var headers = "Cookie: " + cookies.Replace("{0}", rule.Issue(pin, "a", isHttps: false)!.Split(';')[0], StringComparison.Ordinal);
        foreach (var (isFound, cookie) in new[] { Taken(Views.Sniffed(headers: headers)), Taken(Views.Parsed(headers: headers)) })
            Assert.Equal((isRead, isRead ? pin : default), (isFound, cookie.Pin));

        (bool, ClientCookie) Taken(in RequestView view) => (rule.TryRead(view, [], out var cookie), cookie);
    }

    [Fact]
    public void TryRead_OneThatIsTooLongComesFirst_IsTheOther()
    {
        var (rule, pin) = (Keyed(1), PinKey.Random());
        var headers = $"Cookie: StickyWs={new string('A', 2000)}; {rule.Issue(pin, "a", isHttps: false)!.Split(';')[0]}";

        Assert.True(rule.TryRead(Views.Sniffed(headers: headers), [], out var sniffed));
        Assert.True(rule.TryRead(Views.Parsed(headers: headers), [], out var parsed));
        Assert.Equal((pin, pin), (sniffed.Pin, parsed.Pin));
    }

    // One instance's configuration says A, the other's a: they are the same, and neither takes the pin from the other.
    [Fact]
    public async Task Renew_NameInAnotherCaseInTheStore_IsNoMove()
    {
        var store = new ScriptedPinStore(_time);
        var (pins, key) = (Shared(store).Rig.Pins, PinKey.Random());
        store[key] = "A";
        Assert.Equal("a", await pins.FindSharedAsync(key, Lifetime));
        var saves = store.Saves.Count;

        pins.Renew(key, "a", Lifetime);
        store.Tell(key.ToString(), "A");
        for (var i = 0; i < 5; i++) await pins.SaveAsync(key, "a", Lifetime);

        Assert.InRange(store.Saves.Count, saves, saves + 1);
    }

    [Fact]
    public void Heard_NameThatNoPoolHas_IsNotKept()
    {
        var store = new ScriptedPinStore(_time);
        var pins = Shared(store).Rig.Pins;

        for (var i = 0; i < 100; i++) store.Tell(PinKey.Random().ToString(), $"nowhere {i}");

        Assert.Equal(0, pins.LearntCount);
    }

    // Each would take the other's from the client, and neither would know it again.
    [Theory]
    [InlineData(true, "", "/a", "", "/b")]
    [InlineData(true, "h.example", "/a", "H.EXAMPLE", "/b")]
    [InlineData(true, "h.example", "/a", "", "")]
    [InlineData(true, "*.example", "", "h.example", "/b")]
    [InlineData(true, "*.h.example", "/a", "*.example", "")]
    [InlineData(false, "h.example", "", "", "")]
    [InlineData(false, "*.example", "", "h.example", "")]
    [InlineData(false, "h.example", "/a", "i.example", "/b")]
    [InlineData(false, "*.h.example", "/a", "*.i.example", "/b")]
    [InlineData(false, "", "/a", "", "/b", "Other")]
    [InlineData(false, "", "/a", "", "/b", "StickyWs", "/a")]
    [InlineData(true, "h.example", "/a", "i.example", "/b", "StickyWs", "/", "example")]
    public void Validate_CookiesOfTwoPools_AreNotOneToABrowser(
        bool isRefused,
        string hosts,
        string prefixes,
        string otherHosts,
        string otherPrefixes,
        string otherName = "StickyWs",
        string otherPath = "/",
        string? domain = null)
    {
        var options = new StickyWsOptions
        {
            Pools =
            {
                ["one"] = Pool(hosts, prefixes, new CookieAffinityOptions { Domain = domain }),
                ["two"] = Pool(otherHosts, otherPrefixes, new CookieAffinityOptions { Name = otherName, Path = otherPath, Domain = domain }),
            },
        };

        var errors = Written.Errors(options);

        const string Refused = "StickyWs:Pools:two:Affinity:Rules has a Cookie 'StickyWs' that browsers take for that of pool 'one': ";
        if (!isRefused) Assert.Empty(errors);
        else Assert.StartsWith(Refused, Assert.Single(errors), StringComparison.Ordinal);

        static PoolOptions Pool(string hosts, string prefixes, CookieAffinityOptions cookie)
        {
            var pool = new PoolOptions { Backends = { ["a"] = new() { Address = Written.Backend } } };
            if (hosts.Length > 0) pool.Match.Hosts.Add(hosts);
            if (prefixes.Length > 0) pool.Match.PathPrefixes.Add(prefixes);
            pool.Affinity.Rules.Add(new AffinityRuleOptions { Cookie = cookie });
            return pool;
        }
    }

    private static CookieRule Keyed(params byte[] keys)
    {
        var options = new CookieAffinityOptions();
        foreach (var key in keys) options.Keys.Add(Convert.ToBase64String(Enumerable.Repeat(key, 32).ToArray()));
        return new CookieRule(options, new CookieSeals(null, new FakeLogger<CookieSeals>()).For("chat", options), TimeProvider.System);
    }

    private static ClientCookie? Read(CookieRule rule, string? setCookie)
        => rule.TryRead(Views.Sniffed(headers: "Cookie: " + setCookie!.Split(';')[0]), [], out var cookie) ? cookie : null;

    private static OpenClaims Open(StickyRig rig) => rig.Rig.Services.Open;

    private StickyRig Shared(IPinStore store) => new(pool => pool.Affinity.Rules.Add(StickyRig.Rule(Way.Pin)), _time, store);

    // As the host's timer does.
    private async Task PassAsync(TimeSpan time, StickyRig rig)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(16))
        {
            _time.Advance(TimeSpan.FromSeconds(16));
            for (var i = 0; i < OpenClaims.Parts; i++) await Open(rig).KeepSomeAsync(default);
        }
    }

    private sealed class BrokenDataProtection : IDataProtectionProvider, IDataProtector
    {
        public IDataProtector CreateProtector(string purpose) => this;

        public byte[] Protect(byte[] plaintext) => throw new CryptographicException("no keys");

        public byte[] Unprotect(byte[] protectedData) => throw new CryptographicException("no keys");
    }
}
