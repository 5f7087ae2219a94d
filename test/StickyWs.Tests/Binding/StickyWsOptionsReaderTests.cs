using StickyWs.Configuration;
using StickyWs.Tests.Configuration;

namespace StickyWs.Tests.Binding;

public sealed class StickyWsOptionsReaderTests
{
    public static TheoryData<string, string> GoodValues => [.. OptionTable.Rows.Select(row => (row.Key, row.Good))];

    public static TheoryData<string> KindsOfRule => [.. typeof(AffinityRuleOptions).GetProperties().Select(property => property.Name)];

    public static TheoryData<string> SingleValues => [.. OptionTable.Rows.Select(row => row.Key)];

    [Fact]
    public void OptionTable_HoldsEveryOption()
        => Assert.Equal(OptionTree.Keys(typeof(StickyWsOptions)).Order(StringComparer.Ordinal),
            OptionTable.Rows.Select(row => row.Key).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(GoodValues))]
    public void Configure_GoodValue_ReachesItsOptionAndIsValid(string key, string value)
    {
        var options = Written.Keys([(key, value), .. OptionTable.Named(key).Needs]);

        Assert.NotEqual(value, OptionTree.Text(Written.Keys(), key));
        Assert.Equal(value, OptionTree.Text(options, key));
        Assert.Empty(Written.Errors(options));
    }

    [Theory]
    [MemberData(nameof(SingleValues))]
    public void Configure_ObjectInPlaceOfAValue_IsOneError(string key)
    {
        var error = Assert.Single(Written.ErrorsOf([(key, null), ($"{key}:Inner", "x"), .. OptionTable.Named(key).Beside]));

        Assert.StartsWith($"StickyWs:{key} is an object", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Pools:chat:")]
    [InlineData("Pools:chat:Match:")]
    [InlineData("Pools:chat:Backends:a:")]
    [InlineData("Pools:chat:Affinity:")]
    [InlineData("Pools:chat:Affinity:Rules:0:")]
    [InlineData("Pools:chat:Affinity:Rules:0:Cookie:")]
    [InlineData("Pools:chat:Affinity:Rules:0:ClientAddress:")]
    [InlineData("Pools:chat:Affinity:Rules:0:PathSegment:")]
    [InlineData("Pools:chat:Affinity:Rules:0:Learn:")]
    [InlineData("Pools:chat:Timeouts:")]
    [InlineData("Pools:chat:Health:")]
    [InlineData("Pools:chat:Health:Http:")]
    [InlineData("Pools:chat:Health:Tcp:")]
    [InlineData("Pools:chat:Health:WebSocket:")]
    [InlineData("Pools:chat:Health:Passive:")]
    [InlineData("Pools:chat:Tls:")]
    [InlineData("Pools:chat:Tunnels:")]
    [InlineData("Transport:")]
    [InlineData("Pins:")]
    public void Configure_UnknownKey_IsOneErrorThatListsTheKnownOnes(string prefix)
    {
        var error = Assert.Single(Written.ErrorsOf(($"{prefix}Colour", "blue")));

        Assert.StartsWith($"StickyWs:{prefix}Colour is not an option: use one of ", error, StringComparison.Ordinal);
        Assert.EndsWith(", or remove it.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Pools:chat:Tunnels:IdleTimeout")]
    [InlineData("Pools:chat:Tunnels:HalfClosedTimeout")]
    [InlineData("Pools:chat:Tunnels:DeadPeerTimeout")]
    [InlineData("Pools:chat:Affinity:Rules:0:Cookie:Lifetime")]
    public void Configure_NoneInPlaceOfATime_IsNoLimitAndValid(string key)
    {
        var options = Written.Onto(Written.Keys((key, "00:01:23")), (key, "None"));

        Assert.Equal("", OptionTree.Text(options, key));
        Assert.Empty(Written.Errors(options));
    }

    [Fact]
    public void Configure_NoneWhereATimeIsNeeded_IsOneError() => Assert.Single(Written.ErrorsOf(("Pools:chat:Timeouts:Connect", "none")));

    [Fact]
    public void Configure_UnknownObject_IsOneErrorAtItsOwnKey()
    {
        var error = Assert.Single(Written.ErrorsOf(("Pools:chat:Sessions:Cookie:Name", "sid"), ("Pools:chat:Sessions:Cookie:Path", "/")));

        Assert.StartsWith("StickyWs:Pools:chat:Sessions is not an option", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Pools:chat:Match", "use an object")]
    [InlineData("Pools:chat:Affinity", "use an object")]
    [InlineData("Pools:chat:Affinity:Rules", "use a list of objects")]
    [InlineData("Pools:chat:Affinity:Rules:0", "use an object")]
    [InlineData("Pools:chat:Affinity:Rules:0:Cookie", "use an object")]
    [InlineData("Pools:chat:Affinity:Rules:0:ClientAddress", "use an object")]
    [InlineData("Pools:chat:Affinity:Rules:0:SignalR", "use an object")]
    [InlineData("Pools:chat:Affinity:Rules:0:SocketIO", "use an object")]
    [InlineData("Pools:chat:Affinity:Rules:0:Learn", "use an object")]
    [InlineData("Pools:chat:Timeouts", "use an object")]
    [InlineData("Pools:chat:Health", "use an object")]
    [InlineData("Pools:chat:Health:Passive", "use an object")]
    [InlineData("Pools:chat:Tls", "use one of Terminate, Passthrough, or an object")]
    [InlineData("Pools:chat:Tunnels", "use an object")]
    [InlineData("Transport", "use an object")]
    [InlineData("Pins", "use an object")]
    [InlineData("Pools:chat", "use an object")]
    [InlineData("Pools:chat:Backends:a", "use an object")]
    [InlineData("Pools", "use an object of named objects")]
    [InlineData("Pools:chat:Backends", "use an object of named objects")]
    [InlineData("Pools:chat:Match:Hosts", "use a list")]
    [InlineData("Pools:chat:Match:PathPrefixes", "use a list")]
    [InlineData("TrustedProxies", "use a list")]
    [InlineData("Pools:chat:Health:Http:Headers", "use an object of names and strings")]
    [InlineData("Pools:chat:Health:WebSocket:Headers", "use an object of names and strings")]
    public void Configure_ValueInPlaceOfAnObject_IsOneError(string key, string remedy)
        => Assert.Equal([$"StickyWs:{key} is 'text': {remedy}."], Written.ErrorsOf((key, "text")));

    [Fact]
    public void Configure_KeysInAnotherCase_AreKnown()
    {
        var options = Written.Keys(("POOLS:Chat:retryafter", "00:00:09"), ("maxheadbytes", "4096"));

        Assert.Empty(Written.Errors(options));
        Assert.Equal(TimeSpan.FromSeconds(9), Assert.Single(options.Pools).Value.RetryAfter);
        Assert.Equal(4096, options.MaxHeadBytes);
    }

    [Theory]
    [InlineData("useall", NoneHealthyBehavior.UseAll)]
    [InlineData("FAILCLOSED", NoneHealthyBehavior.FailClosed)]
    public void Configure_ChoiceInAnotherCase_IsTaken(string text, NoneHealthyBehavior expected)
        => Assert.Equal(expected, Written.Keys(("Pools:chat:WhenNoneHealthy", text)).Pools["chat"].WhenNoneHealthy);

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void Configure_EmptyValue_LeavesTheOptionAsItWas(string? empty)
    {
        var options = Written.Keys(("MaxHeadBytes", empty), ("Pools:chat:RetryAfter", empty), ("Pools:chat:Policy", empty));

        Assert.Empty(Written.Errors(options));
        Assert.Equal(32 * 1024, options.MaxHeadBytes);
        Assert.Equal(TimeSpan.FromSeconds(5), options.Pools["chat"].RetryAfter);
        Assert.Equal("RoundRobin", options.Pools["chat"].Policy);
    }

    [Theory]
    [InlineData("Http", typeof(HttpProbeOptions))]
    [InlineData("Tcp", typeof(TcpProbeOptions))]
    [InlineData("WebSocket", typeof(WebSocketProbeOptions))]
    public void Configure_ProbeWrittenAsAnEmptyObject_IsOnWithItsDefaults(string kind, Type expected)
    {
        var health = $$"""{ "{{kind}}": {} }""";

        const string json = """{ "StickyWs": { "Pools": { "chat": { "Backends": { "a": { "Address": "http://127.0.0.1:5000" } }, "Health": HEALTH } } } }""";
        var options = Written.Json(json.Replace("HEALTH", health, StringComparison.Ordinal));

        Assert.Empty(Written.Errors(options));
        Assert.IsType(expected, options.Pools["chat"].Health.Probe);
    }

    [Fact]
    public void Configure_NoProbeWritten_NoneIsOn() => Assert.Null(Written.Keys().Pools["chat"].Health.Probe);

    [Theory]
    [MemberData(nameof(KindsOfRule))]
    public void Configure_RuleWrittenAsAnEmptyObject_IsOfItsKindWithItsDefaults(string kind)
    {
        const string json = """
            { "StickyWs": { "Pools": { "chat": { "Backends": { "a": { "Address": "http://127.0.0.1:5000" } },
              "Affinity": { "Rules": [ { "KIND": {} } ] } } } } }
            """;
        var options = Written.Json(json.Replace("KIND", kind, StringComparison.Ordinal));

        var rule = Assert.Single(options.Pools["chat"].Affinity.Rules);
        Assert.Equal(kind, Assert.Single(typeof(AffinityRuleOptions).GetProperties(), property => property.GetValue(rule) is not null).Name);
        Assert.Equal(kind is "Header" or "Query" or "Learn" ? 1 : 0, Written.Errors(options).Length);
    }

    [Fact]
    public void Configure_NoRuleWritten_NoneIsThere() => Assert.Empty(Written.Keys().Pools["chat"].Affinity.Rules);

    [Fact]
    public void Configure_Rules_KeepTheOrderTheyAreWrittenIn()
    {
        var options = Written.Keys(Enumerable.Range(0, 12).Select(i => ($"Pools:chat:Affinity:Rules:{i}:Header:Name", (string?)$"X-{i}")));

        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"X-{i}"), options.Pools["chat"].Affinity.Rules.Select(rule => rule.Header?.Name));
    }

    [Theory]
    [InlineData("Pools:chat:Affinity:Rules:Cookie")]
    [InlineData("Pools:chat:Affinity:Rules:Cookie:Name")]
    [InlineData("Pools:chat:Affinity:Rules:first:SignalR")]
    public void Configure_ObjectInPlaceOfAListOfObjects_IsOneError(string key)
        => Assert.Equal(["StickyWs:Pools:chat:Affinity:Rules is an object: use a list of objects."], Written.ErrorsOf((key, null)));

    [Fact]
    public void Configure_SecretInPlaceOfAList_IsOneErrorThatDoesNotShowIt()
        => Assert.Equal(
            ["StickyWs:Pools:chat:Affinity:Rules:0:Cookie:Keys is a single value: use a list."],
            Written.ErrorsOf(("Pools:chat:Affinity:Rules:0:Cookie:Keys", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")));

    [Fact]
    public void Configure_NoSection_LeavesTheDefaults()
    {
        var options = Written.Json("{}");

        Assert.Empty(options.Pools);
        Assert.Empty(Written.Errors(options));
    }

    [Fact]
    public void Configure_List_ReplacesTheOneFromCode()
    {
        var options = new StickyWsOptions { TrustedProxies = { "10.0.0.1", "10.0.0.2" } };
        options.Pools["chat"] = new PoolOptions { Match = { Hosts = { "a.example", "b.example" }, PathPrefixes = { "/code" } } };

        Written.Onto(options, ("TrustedProxies:0", "192.168.0.0/16"), ("Pools:chat:Match:Hosts:0", "c.example"));

        Assert.Equal(["192.168.0.0/16"], options.TrustedProxies);
        Assert.Equal(["c.example"], options.Pools["chat"].Match.Hosts);
        Assert.Equal(["/code"], options.Pools["chat"].Match.PathPrefixes);
    }

    [Fact]
    public void Configure_ListOfRules_ReplacesTheOneFromCode()
    {
        var options = new StickyWsOptions();
        options.Pools["chat"] = new PoolOptions
        {
            Affinity =
            { HoldFor = TimeSpan.FromMinutes(3), Rules = { new() { Cookie = new() { Name = "code", Keys = { "secret" } } }, new() { SignalR = new() } } }
        };

        Written.Onto(options, ("Pools:chat:Affinity:Rules:0:Cookie:Path", "/chat"));

        var rule = Assert.Single(options.Pools["chat"].Affinity.Rules);
        Assert.Null(rule.SignalR);
        Assert.Equal(("StickyWs", "/chat", 0), (rule.Cookie?.Name, rule.Cookie?.Path, rule.Cookie?.Keys.Count));
        Assert.Equal(TimeSpan.FromMinutes(3), options.Pools["chat"].Affinity.HoldFor);
    }

    [Fact]
    public void Configure_EmptyListOfRules_ReplacesTheOneFromCode()
    {
        var options = new StickyWsOptions();
        options.Pools["chat"] = new PoolOptions { Affinity = { Rules = { new() { SignalR = new() } } } };

        Written.Onto(options, ("Pools:chat:Affinity:Rules", ""));

        Assert.Empty(options.Pools["chat"].Affinity.Rules);
    }

    [Fact]
    public void Configure_AffinityWithoutRules_KeepsTheOnesFromCode()
    {
        var options = new StickyWsOptions();
        options.Pools["chat"] = new PoolOptions { Affinity = { Rules = { new() { SignalR = new() } } } };

        Written.Onto(options, ("Pools:chat:Affinity:RevealBackend", "true"));

        Assert.NotNull(Assert.Single(options.Pools["chat"].Affinity.Rules).SignalR);
    }

    [Fact]
    public void Configure_EmptyList_ReplacesTheOneFromCode()
    {
        var options = new StickyWsOptions { TrustedProxies = { "10.0.0.1" } };

        Written.Onto(options, ("TrustedProxies", ""));

        Assert.Empty(options.TrustedProxies);
    }

    [Fact]
    public void Configure_PoolFromCode_KeepsWhatTheConfigurationDoesNotName()
    {
        var options = new StickyWsOptions { MaxTunnels = 7 };
        options.Pools["Chat"] = new PoolOptions
        {
            Policy = "PowerOfTwoChoices",
            Backends = { ["b"] = new() { Address = "http://b:1" }, ["A"] = new() { Address = "http://old:1", Weight = 3 } }
        };
        options.Pools["other"] = new PoolOptions { Match = { PathPrefixes = { "/other" } }, Backends = { ["c"] = new() { Address = "http://c:1" } } };

        Written.Onto(options);

        Assert.Empty(Written.Errors(options));
        Assert.Equal(2, options.Pools.Count);
        Assert.Equal("PowerOfTwoChoices", options.Pools["chat"].Policy);
        Assert.Equal(Written.Backend, options.Pools["chat"].Backends["a"].Address);
        Assert.Equal(3, options.Pools["chat"].Backends["a"].Weight);
        Assert.Equal(2, options.Pools["chat"].Backends.Count);
        Assert.Equal(7, options.MaxTunnels);
    }

    [Fact]
    public void Configure_ListItemThatIsAnObject_IsOneError()
        => Assert.Equal(["StickyWs:Pools:chat:Match:Hosts:0 is an object: use a string."], Written.ErrorsOf(("Pools:chat:Match:Hosts:0:Name", "a.example")));
}
