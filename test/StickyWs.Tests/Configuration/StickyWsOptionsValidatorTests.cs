using StickyWs.Configuration;

namespace StickyWs.Tests.Configuration;

public sealed class StickyWsOptionsValidatorTests
{
    private const string SomeSecondPool = "http://127.0.0.1:5001";

    // A pool has one kind of probe, and a rule is of one kind; server names go with what is passed through.
    private static readonly string[] OtherKinds =
        [":Tcp:", ":Health:Tls:", ":ServerNames:", ":WebSocket:", ":Header:", ":Query:", ":PathSegment:", ":ClientAddress:", ":Learn:"];

    public static TheoryData<string, string> BadValues => [.. OptionTable.Rows.SelectMany(row => row.Bad, (row, bad) => (row.Key, bad))];

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Validate_BadValue_IsOneMessageWithKeyValueAndRemedy(string key, string value)
    {
        var error = Assert.Single(Written.ErrorsOf([(key, value), .. OptionTable.Named(key).Beside]));

        Assert.StartsWith($"StickyWs:{key} is '{value}': ", error, StringComparison.Ordinal);
        Assert.Matches(@"': (use|keep) [^:]*.*\.$", error);
    }

    [Fact]
    public void Validate_OutOfRange_SaysTheWholeMessageOnce()
        => Assert.Equal(["StickyWs:Pools:chat:Backends:a:Weight is '0': use a value from 1 to 256."], Written.ErrorsOf(("Pools:chat:Backends:a:Weight", "0")));

    [Theory]
    [InlineData("v1.chat.example", "StickyWs:Pools:v1.chat.example:RetryAfter")]
    [InlineData("a b", "StickyWs:Pools:a b:RetryAfter")]
    [InlineData("a: b", "StickyWs:Pools:a: b:RetryAfter")]
    public void Validate_PoolNameWithDotsColonsOrSpaces_KeepsItsName(string pool, string key)
    {
        var options = new StickyWsOptions();
        options.Pools[pool] = new PoolOptions { RetryAfter = TimeSpan.Zero, Backends = { ["a"] = new() { Address = Written.Backend } } };

        Assert.Equal([$"{key} is '00:00:00': use a value from 00:00:01 to 01:00:00."], Written.Errors(options));
    }

    [Fact]
    public void Validate_AnotherRoot_NamesItInEveryKey()
    {
        var errors = Written.Errors(new StickyWsOptions { MaxHeadBytes = 1, Pools = { ["p"] = new() } }, "My.Own:Balancer");

        Assert.Equal(2, errors.Length);
        Assert.StartsWith("My.Own:Balancer:MaxHeadBytes is '1': ", errors[0], StringComparison.Ordinal);
        Assert.StartsWith("My.Own:Balancer:Pools:p:Backends is not set: ", errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_ManyErrors_AreAllReportedAtOnce()
    {
        (string Key, string Bad)[] wrong =
        [
            .. OptionTable.Rows
                .Where(row => row.Bad.Length > 0 && !Array.Exists(OtherKinds, kind => row.Key.Contains(kind, StringComparison.Ordinal)))
                .Select(row => (row.Key, row.Bad[0])),
        ];

        var errors = Written.ErrorsOf(wrong.Select(pair => (pair.Key, (string?)pair.Bad)));

        Assert.Equal(wrong.Length, errors.Length);
        Assert.All(wrong, pair => Assert.Single(errors, error => error.StartsWith($"StickyWs:{pair.Key} is '{pair.Bad}': ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Validate_PoolWithoutBackends_IsOneError()
    {
        var options = Written.Keys();
        options.Pools["empty"] = new PoolOptions { Match = { PathPrefixes = { "/empty" } } };

        Assert.Equal(["StickyWs:Pools:empty:Backends is not set: add at least one backend with an Address."], Written.Errors(options));
    }

    [Fact]
    public void Validate_BackendWithoutAddress_IsOneError()
        => Assert.Equal(
            ["StickyWs:Pools:chat:Backends:b:Address is not set: use http://host:port or https://host:port, without path, query or user info."],
            Written.ErrorsOf(("Pools:chat:Backends:b:Weight", "2")));

    [Theory]
    [InlineData("A", "http://h:80")]
    [InlineData("A", "https://h")]
    [InlineData("A", "http://[::1]:5000")]
    [InlineData("A", "http://h:5000/")]
    [InlineData("A", "HTTP://H:5000")]
    public void Validate_UsableAddress_IsTaken(string backend, string address)
        => Assert.Empty(Written.ErrorsOf(($"Pools:chat:Backends:{backend}:Address", address)));

    [Theory]
    [InlineData(null, null, null, null, true)]
    [InlineData("a.example", "/x", "A.EXAMPLE", "/X/", true)]
    [InlineData(null, "/", null, null, true)]
    [InlineData("a.example", null, "a.example", "/", true)]
    [InlineData("*.example", "/x", "*.example", "/x", true)]
    [InlineData("a.example", null, "b.example", null, false)]
    [InlineData("a.example", null, null, null, false)]
    [InlineData("*.example", null, "a.example", null, false)]
    [InlineData(null, "/x", null, "/x/y", false)]
    [InlineData(null, "/x", null, "/xy", false)]
    public void Validate_TwoPools_AreRefusedExactlyWhenTheyMatchTheSame(string? host, string? prefix, string? otherHost, string? otherPrefix, bool isAmbiguous)
    {
        List<(string, string?)> keys = [("Pools:two:Backends:a:Address", SomeSecondPool)];
        if (host is not null) keys.Add(("Pools:chat:Match:Hosts:0", host));
        if (prefix is not null) keys.Add(("Pools:chat:Match:PathPrefixes:0", prefix));
        if (otherHost is not null) keys.Add(("Pools:two:Match:Hosts:0", otherHost));
        if (otherPrefix is not null) keys.Add(("Pools:two:Match:PathPrefixes:0", otherPrefix));

        var errors = Written.ErrorsOf(keys);

        const string Ambiguous = "^StickyWs:Pools:two:Match is the same as that of pool 'chat' .*: give one of them another host or prefix\\.$";
        if (isAmbiguous) Assert.Matches(Ambiguous, Assert.Single(errors));
        else Assert.Empty(errors);
    }

    [Fact]
    public void Validate_OnePoolThatNamesAHostTwice_IsNotAmbiguous()
        => Assert.Empty(Written.ErrorsOf(("Pools:chat:Match:Hosts:0", "a.example"), ("Pools:chat:Match:Hosts:1", "A.example")));

    [Fact]
    public void Validate_PolicyOfTheUsers_IsKnownInAnyCase()
    {
        var options = Written.Keys(("Pools:chat:Policy", "mine"));

        Assert.True(new StickyWsOptionsValidator("StickyWs", new KnownPolicies(["RoundRobin", "Mine"])).Validate(null, options).Succeeded);
        Assert.Equal(
            [
                "StickyWs:Pools:chat:Policy is 'mine': use one of LeastConnections, PowerOfTwoChoices, RoundRobin, "
                    + "or register an ILoadBalancingPolicy of that name.",
            ],
            Written.Errors(options));
    }

    [Theory]
    [InlineData("Pools:chat:Affinity:Rules:0", "SignalR")]
    [InlineData("Pools:chat:Affinity:Rules:0:SignalRR", "")]
    [InlineData("POOLS:CHAT:AFFINITY:RULES:0:COKIE:NAME", "x")]
    [InlineData("Pools:chat:Affinity:Rules:0:Learn", "sid")]
    [InlineData("Pools:chat:Affinity:Rules:0:Learn:Cokie", "sid")]
    public void Validate_WhatCouldNotBeRead_IsNotMissingAsWell(string key, string value)
        => Assert.DoesNotContain(" is not set: ", Assert.Single(Written.ErrorsOf((key, value))), StringComparison.Ordinal);

    [Fact]
    public void Validate_RequiredOptionUnderAMisspeltKey_IsMissingAsWell()
        => Assert.Equal(
            [
                "StickyWs:Pools:chat:Affinity:Rules:0:Header:Nam is not an option: did you mean Name? Use one of Name, or remove it.",
                "StickyWs:Pools:chat:Affinity:Rules:0:Header:Name is not set: use the name of a request header.",
            ],
            Written.ErrorsOf(("Pools:chat:Affinity:Rules:0:Header:Nam", "X-User")));

    [Fact]
    public void Validate_UnreadRule_HidesNothingThatIsMissingElsewhere()
        => Assert.Equal(
            [
                "StickyWs:Pools:chat:Affinity:Rules:1:Cokie is not an option: did you mean Cookie? "
                    + "Use one of Cookie, Header, Query, PathSegment, ClientAddress, SignalR, SocketIO, Learn, or remove it.",
                "StickyWs:Pools:chat:Affinity:Rules:10 is not set: "
                    + "write exactly one of Cookie, Header, Query, PathSegment, ClientAddress, SignalR, SocketIO, Learn into each rule.",
            ],
            Written.ErrorsOf(
            [
                .. Enumerable.Range(0, 10).Select(i => ($"Pools:chat:Affinity:Rules:{i}:{(i == 1 ? "Cokie" : "SignalR")}", (string?)null)),
                ("Pools:chat:Affinity:Rules:10", null),
            ]));

    [Theory]
    [InlineData("Redis", "")]
    [InlineData("Redis:Configuration", "localhost:6379")]
    [InlineData("redis:anything:of:the:package", "x")]
    public void Validate_RedisSection_NeedsAPinStoreThatReadsIt(string key, string value)
    {
        var options = Written.Keys((key, value));

        Assert.Equal(
            ["StickyWs:Redis is set, but nothing reads it: add the package StickyWs.Redis and call builder.AddStickyWebSocketRedis(), or remove it."],
            Written.Errors(options));
        Assert.Empty(Written.Errors(options, hasPinStore: true));
    }

    [Fact]
    public void Validate_PinStoreWithoutARedisSection_IsTaken() => Assert.Empty(Written.Errors(Written.Keys(), hasPinStore: true));

    [Fact]
    public void Validate_NotANumberFromCode_IsOneError()
    {
        var options = Written.Keys();
        options.Pools["chat"].Health.Passive.FailureRatio = double.NaN;

        Assert.Equal(["StickyWs:Pools:chat:Health:Passive:FailureRatio is 'NaN': use a value from 0.01 to 1."], Written.Errors(options));
    }

    [Fact]
    public void Validate_ChoiceOutsideItsNamesFromCode_IsOneErrorEach()
    {
        var options = Written.Keys();
        options.Pools["chat"].WhenNoneHealthy = (NoneHealthyBehavior)7;
        options.Pools["chat"].HttpVersion = (BackendHttpVersion)7;

        Assert.Equal(
            [
                "StickyWs:Pools:chat:WhenNoneHealthy is '7': use one of FailClosed, UseAll.",
                "StickyWs:Pools:chat:HttpVersion is '7': use one of Auto, Http1, Http2.",
            ],
            Written.Errors(options));
    }
}
