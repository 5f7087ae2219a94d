using Microsoft.AspNetCore.Http;
using StickyWs.Configuration;

namespace StickyWs.Tests.Configuration;

public sealed class AffinityRulesTests
{
    private const string Rules = "Pools:chat:Affinity:Rules";
    private const string Kinds = "write exactly one of Cookie, Header, Query, PathSegment, ClientAddress, SignalR, SocketIO, Learn into each rule";

    [Fact]
    public void Check_OneRuleOfEachKind_IsTaken()
        => Assert.Empty(Written.ErrorsOf(
            ($"{Rules}:0:SignalR", null),
            ($"{Rules}:1:SocketIO", null),
            ($"{Rules}:2:Cookie", null),
            ($"{Rules}:3:Learn:Cookie", "sid"),
            ($"{Rules}:4:Header:Name", "X-User"),
            ($"{Rules}:5:Query:Name", "room"),
            ($"{Rules}:6:ClientAddress", null),
            ($"{Rules}:7:PathSegment", null)));

    [Fact]
    public void Check_RuleOfNoKind_IsOneErrorAtItsPlace()
        => Assert.Equal([$"StickyWs:{Rules}:1 is not set: {Kinds}."], Written.ErrorsOf(($"{Rules}:0:SignalR", null), ($"{Rules}:1", null)));

    [Fact]
    public void Check_RuleOfTwoKinds_IsOneErrorThatNamesThem()
        => Assert.Equal(
            [$"StickyWs:{Rules}:0 is 'Cookie, SignalR': {Kinds}."],
            Written.ErrorsOf(($"{Rules}:0:SignalR", null), ($"{Rules}:0:Cookie:Name", "c")));

    [Fact]
    public void Check_RuleOfEveryKind_IsOneErrorThatNamesThem()
    {
        var options = Code(new AffinityRuleOptions
        {
            Cookie = new(),
            Header = new() { Name = "X-User" },
            Query = new() { Name = "room" },
            PathSegment = new(),
            ClientAddress = new(),
            SignalR = new(),
            SocketIO = new(),
            Learn = new() { Header = "X-Session" },
        });

        Assert.Equal(
            [$"StickyWs:{Rules}:0 is 'Cookie, Header, Query, PathSegment, ClientAddress, SignalR, SocketIO, Learn': {Kinds}."],
            Written.Errors(options));
    }

    [Fact]
    public void Check_TwoCookies_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Rules} is 'more than one Cookie': keep one rule of this kind per pool."],
            Written.ErrorsOf(($"{Rules}:0:Cookie:Name", "a"), ($"{Rules}:1:SignalR", null), ($"{Rules}:2:Cookie:Name", "b")));

    [Fact]
    public void Check_ErrorsInManyRules_AreAllReportedAtTheirPlaces()
        => Assert.Equal(
            [
                $"StickyWs:{Rules}:0:Cookie:Path is 'chat': use a path that starts with a slash.",
                $"StickyWs:{Rules}:1:Header:Name is 'X User': use the name of a request header.",
                $"StickyWs:{Rules}:2:ClientAddress:IPv4PrefixLength is '33': use a value from 1 to 32.",
                $"StickyWs:{Rules}:3:Learn:Cookie is 'a b': use the name of a cookie that backends set.",
            ],
            Written.ErrorsOf(
                ($"{Rules}:0:Cookie:Path", "chat"),
                ($"{Rules}:1:Header:Name", "X User"),
                ($"{Rules}:2:ClientAddress:IPv4PrefixLength", "33"),
                ($"{Rules}:3:Learn:Cookie", "a b")));

    [Theory]
    [InlineData("Header", "use the name of a request header")]
    [InlineData("Query", "use the name of a parameter of the query")]
    public void Check_RuleWithoutItsName_IsOneError(string kind, string remedy)
        => Assert.Equal([$"StickyWs:{Rules}:0:{kind}:Name is not set: {remedy}."], Written.ErrorsOf(($"{Rules}:0:{kind}", null)));

    [Theory]
    [InlineData("room")]
    [InlineData("a b")]
    [InlineData("r\u00e4ume[]")]
    public void Check_NameOfAParameter_IsAnyText(string name) => Assert.Empty(Written.ErrorsOf(($"{Rules}:0:Query:Name", name)));

    [Fact]
    public void Check_LearnOfNothing_IsOneError()
        => Assert.Equal([$"StickyWs:{Rules}:0:Learn is not set: write exactly one of Cookie and Header."], Written.ErrorsOf(($"{Rules}:0:Learn", null)));

    [Fact]
    public void Check_LearnOfBoth_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Rules}:0:Learn is 'Cookie, Header': write exactly one of Cookie and Header."],
            Written.ErrorsOf(($"{Rules}:0:Learn:Cookie", "sid"), ($"{Rules}:0:Learn:Header", "X-Session")));

    [Fact]
    public void Check_EmptyNamesFromCode_AreOneErrorEach()
        => Assert.Equal(
            [
                $"StickyWs:{Rules}:0:Cookie:Name is not set: use a cookie name such as StickyWs.",
                $"StickyWs:{Rules}:1:Learn:Cookie is not set: use the name of a cookie that backends set.",
                $"StickyWs:{Rules}:2:Learn:Header is not set: use the name of a header that backends answer with.",
            ],
            Written.Errors(Code(new() { Cookie = new() { Name = "" } }, new() { Learn = new() { Cookie = "" } }, new() { Learn = new() { Header = "" } })));

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("not base64 at all, but a secret")]
    [InlineData("c2VjcmV0")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")]
    public void Check_KeyThatIsNone_IsOneErrorThatDoesNotShowIt(string secret)
        => Assert.Equal(
            [$"StickyWs:{Rules}:0:Cookie:Keys:1 is not a key: use the base64 of 32 random bytes (openssl rand -base64 32)."],
            Written.ErrorsOf(($"{Rules}:0:Cookie:Keys:0", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), ($"{Rules}:0:Cookie:Keys:1", secret)));

    [Theory]
    [InlineData("example.com")]
    [InlineData(".example.com")]
    [InlineData("localhost")]
    [InlineData("xn--bcher-kva.example")]
    public void Check_UsableDomain_IsTaken(string domain) => Assert.Empty(Written.ErrorsOf(($"{Rules}:0:Cookie:Domain", domain)));

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("[::1]")]
    public void Check_DomainFromCodeThatIsNone_IsOneError(string domain)
        => Assert.Equal(
            [$"StickyWs:{Rules}:0:Cookie:Domain is '{domain}': use a domain such as example.com."],
            Written.Errors(Code(new AffinityRuleOptions { Cookie = new() { Domain = domain } })));

    [Fact]
    public void Check_EmptyPathFromCode_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Rules}:0:Cookie:Path is '': use a path that starts with a slash."],
            Written.Errors(Code(new AffinityRuleOptions { Cookie = new() { Path = "" } })));

    [Theory]
    [InlineData("SameAsRequest")]
    [InlineData("None")]
    public void Check_CookieForOtherSitesThatIsNotSecure_IsOneError(string secure)
        => Assert.Equal(
            [$"StickyWs:{Rules}:0:Cookie:SameSite is 'None': use Lax, or set Secure to Always, since browsers drop such a cookie otherwise."],
            Written.ErrorsOf(($"{Rules}:0:Cookie:SameSite", "none"), ($"{Rules}:0:Cookie:Secure", secure)));

    [Theory]
    [InlineData("SameAsRequest", "Lax")]
    [InlineData("None", "Lax")]
    [InlineData("SameAsRequest", "Strict")]
    public void Check_PartitionedCookieThatIsNotSecure_IsOneError(string secure, string sameSite)
        => Assert.Equal(
            [$"StickyWs:{Rules}:0:Cookie:Partitioned is 'true': set Secure to Always too, or remove it, since browsers drop such a cookie otherwise."],
            Written.ErrorsOf(($"{Rules}:0:Cookie:Partitioned", "true"), ($"{Rules}:0:Cookie:Secure", secure), ($"{Rules}:0:Cookie:SameSite", sameSite)));

    [Fact]
    public void Check_PartitionedCookieThatIsSecure_IsTaken()
        => Assert.Empty(Written.ErrorsOf(
            ($"{Rules}:0:Cookie:Partitioned", "true"), ($"{Rules}:0:Cookie:Secure", "Always"), ($"{Rules}:0:Cookie:SameSite", "None")));

    [Fact]
    public void Check_CookieForOtherSitesThatIsSecure_IsTaken()
        => Assert.Empty(Written.ErrorsOf(($"{Rules}:0:Cookie:SameSite", "None"), ($"{Rules}:0:Cookie:Secure", "Always")));

    // RFC 6265bis section 4.1.3: what a name with such a prefix promises must be true.
    [Theory]
    [InlineData("__Secure-a", "Always", "/chat", "example.com", true)]
    [InlineData("__Secure-a", "SameAsRequest", "/", null, false)]
    [InlineData("__secure-a", "None", "/", null, false)]
    [InlineData("__Host-a", "Always", "/", null, true)]
    [InlineData("__Host-a", "SameAsRequest", "/", null, false)]
    [InlineData("__HOST-a", "Always", "/chat", null, false)]
    [InlineData("__Host-a", "Always", "/", "example.com", false)]
    [InlineData("__Hosted", "SameAsRequest", "/chat", null, true)]
    public void Check_CookieNameWithAPrefix_IsTakenExactlyWhenItIsTrue(string name, string secure, string path, string? domain, bool isTrue)
    {
        var errors = Written.ErrorsOf(
            ($"{Rules}:0:Cookie:Name", name), ($"{Rules}:0:Cookie:Secure", secure), ($"{Rules}:0:Cookie:Path", path), ($"{Rules}:0:Cookie:Domain", domain));

        var refused = $"StickyWs:{Rules}:0:Cookie:Name is '{name}': use another name, or set Secure to Always ";
        if (isTrue) Assert.Empty(errors);
        else Assert.StartsWith(refused, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ChoiceOutsideItsNamesFromCode_IsOneErrorEach()
        => Assert.Equal(
            [
                $"StickyWs:{Rules}:0:Cookie:SameSite is '7': use one of None, Lax, Strict, Unspecified.",
                $"StickyWs:{Rules}:0:Cookie:Secure is '7': use one of SameAsRequest, Always, None.",
            ],
            Written.Errors(Code(new AffinityRuleOptions { Cookie = new() { SameSite = (SameSiteMode)7, Secure = (CookieSecurePolicy)7 } })));

    // Bytes of UTF-8, not characters.
    [Theory]
    [InlineData("a", 200, true)]
    [InlineData("a", 201, false)]
    [InlineData("\u00fc", 100, true)]
    [InlineData("\u00fc", 101, false)]
    public void Check_NameOfABackend_FitsIntoTheCookie(string letter, int count, bool fits)
    {
        var name = string.Concat(Enumerable.Repeat(letter, count));

        var errors = Written.ErrorsOf(
            ($"Pools:chat:Backends:{name}:Address", "http://127.0.0.1:5001"), ($"{Rules}:0:SignalR", null), ($"{Rules}:1:Cookie", null));

        var refused = $"StickyWs:Pools:chat:Backends is '{name}': use a name of at most 200 bytes, since the Cookie rule writes it into the cookie.";
        Assert.Equal(fits ? [] : [refused], errors);
    }

    [Fact]
    public void Check_LongNameOfABackendWithoutACookie_IsTaken()
        => Assert.Empty(Written.ErrorsOf(($"Pools:chat:Backends:{new string('a', 201)}:Address", "http://127.0.0.1:5001"), ($"{Rules}:0:SignalR", null)));

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
        bool isRefused, string hosts, string prefixes, string otherHosts, string otherPrefixes, string otherName = "StickyWs", string otherPath = "/",
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

        if (!isRefused) Assert.Empty(errors);
        else Assert.StartsWith("StickyWs:Pools:two:Affinity:Rules has a Cookie 'StickyWs' that browsers take for that of pool 'one': ",
            Assert.Single(errors), StringComparison.Ordinal);

        static PoolOptions Pool(string hosts, string prefixes, CookieAffinityOptions cookie)
        {
            var pool = new PoolOptions { Backends = { ["a"] = new() { Address = Written.Backend } } };
            if (hosts.Length > 0) pool.Match.Hosts.Add(hosts);
            if (prefixes.Length > 0) pool.Match.PathPrefixes.Add(prefixes);
            pool.Affinity.Rules.Add(new AffinityRuleOptions { Cookie = cookie });
            return pool;
        }
    }

    private static StickyWsOptions Code(params IEnumerable<AffinityRuleOptions> rules)
    {
        var options = Written.Keys();
        foreach (var rule in rules) options.Pools["chat"].Affinity.Rules.Add(rule);
        return options;
    }
}
