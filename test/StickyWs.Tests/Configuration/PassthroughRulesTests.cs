using StickyWs.Configuration;
using StickyWs.TestKit.Schema;

namespace StickyWs.Tests.Configuration;

public sealed class PassthroughRulesTests
{
    private const string Pool = "Pools:chat";
    private const string Unseen = "since requests are not seen where TLS is passed through.";

    private static readonly (string Key, string? Value)[] Good =
    [
        ($"{Pool}:Tls", "Passthrough"), ($"{Pool}:Match:ServerNames:0", "mail.example.com"), ($"{Pool}:Backends:a:Address", "tcp://10.0.0.1:443"),
    ];

    [Fact]
    public void Read_ModeInPlaceOfTheObject_IsTheMode()
    {
        Assert.Equal(PoolTlsMode.Passthrough, Written.Keys(Good).Pools["chat"].Tls.Mode);
        Assert.Equal(PoolTlsMode.Passthrough, Written.Json("""{ "StickyWs": { "Pools": { "chat": { "Tls": "passthrough" } } } }""").Pools["chat"].Tls.Mode);
        Assert.Equal(PoolTlsMode.Terminate, Written.Keys().Pools["chat"].Tls.Mode);
    }

    [Fact]
    public void Read_ModeOfOneFileAndKeysOfAnother_AreBothTaken()
    {
        var options = Written.Keys([.. Good, ($"{Pool}:Tls:ServerName", "probe.example.com")]);

        Assert.Equal((PoolTlsMode.Passthrough, "probe.example.com"), (options.Pools["chat"].Tls.Mode, options.Pools["chat"].Tls.ServerName));
        Assert.Empty(Written.Errors(options));
    }

    [Fact]
    public void Example_OfTheReadme_IsValid()
    {
        var page = File.ReadAllText(Path.Combine(SchemaFile.Root, "src", "StickyWs", "README.md"));
        var section = page[page.IndexOf("### Passing TLS through", StringComparison.Ordinal)..];
        var start = section.IndexOf("```json", StringComparison.Ordinal) + "```json".Length;
        var example = section[start..section.IndexOf("```", start, StringComparison.Ordinal)];

        var options = Written.Json($$"""{ "StickyWs": { {{example}} } }""");

        Assert.Empty(Written.Errors(options));
        Assert.True(options.Pools["mail"].IsPassthrough);
    }

    [Fact]
    public void Read_AnotherWordInPlaceOfTheObject_IsOneError()
        => Assert.Equal(["StickyWs:Pools:chat:Tls is 'Split': use one of Terminate, Passthrough, or an object."], Written.ErrorsOf(($"{Pool}:Tls", "Split")));

    [Theory]
    [InlineData("Policy", "LeastConnections")]
    [InlineData("Affinity:Rules:0:ClientAddress:IPv4PrefixLength", "24")]
    [InlineData("Affinity:HoldFor", "00:00:05")]
    [InlineData("Health:Tcp:Interval", "00:00:01")]
    [InlineData("Health:Tls:Interval", "00:00:01")]
    [InlineData("Tunnels:IdleTimeout", "01:00:00")]
    [InlineData("Backends:b:Address", "tcp://[::1]:8443")]
    [InlineData("Backends:b:Address", "tcp://mail.internal:443/")]
    [InlineData("Match:ServerNames:1", "*.example.com")]
    public void Validate_WhatNeedsNoRequest_IsTaken(string key, string value) => Assert.Empty(Written.ErrorsOf([.. Good, ($"{Pool}:{key}", value)]));

    [Theory]
    [InlineData("Match:Hosts:0", "mail.example.com", "Match:Hosts", "mail.example.com", "use ServerNames, ")]
    [InlineData("Match:PathPrefixes:0", "/mail", "Match:PathPrefixes", "/mail", "use ServerNames, ")]
    [InlineData("Affinity:Rules:0:Cookie:Name", "c", "Affinity:Rules:0", "a rule for requests", "use ClientAddress, ")]
    [InlineData("Affinity:Rules:0:Header:Name", "X-User", "Affinity:Rules:0", "a rule for requests", "use ClientAddress, ")]
    [InlineData("Affinity:RevealBackend", "true", "Affinity:RevealBackend", "true", "remove it, ")]
    [InlineData("WebSockets", "Pipeline", "WebSockets", "Pipeline", "remove it, ")]
    [InlineData("Upgrades:0", "tcp", "Upgrades", "tcp", "remove it, ")]
    [InlineData("HttpVersion", "Http2", "HttpVersion", "Http2", "remove it, ")]
    [InlineData("Tunnels:Ping:Interval", "00:00:30", "Tunnels:Ping:Interval", "00:00:30", "remove it, ")]
    [InlineData("Timeouts:Request", "00:01:00", "Timeouts:Request", "00:01:00", "remove it, ")]
    [InlineData("Health:Http:Path", "/", "Health", "Http", "use Tcp or Tls, ")]
    [InlineData("Health:WebSocket:Path", "/", "Health", "WebSocket", "use Tcp or Tls, ")]
    public void Validate_WhatNeedsARequest_IsOneError(string key, string value, string at, string named, string remedy)
        => Assert.Equal([$"StickyWs:{Pool}:{at} is '{named}': {remedy}{Unseen}"], Written.ErrorsOf([.. Good, ($"{Pool}:{key}", value)]));

    [Fact]
    public void Validate_PassthroughWithoutNames_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Pool}:Match:ServerNames is not set: name the servers whose TLS is passed through, such as mail.example.com or *.example.com."],
            Written.ErrorsOf(Good[0], Good[2]));

    [Theory]
    [InlineData("https://10.0.0.1:443")]
    [InlineData("http://10.0.0.1:443")]
    [InlineData("tls://10.0.0.1:443")]
    [InlineData("tcp://10.0.0.1")]
    [InlineData("tcp://10.0.0.1:443/x")]
    [InlineData("tcp://10.0.0.1:0")]
    [InlineData("tcp://user@10.0.0.1:443")]
    [InlineData("10.0.0.1:443")]
    public void Validate_AddressOfAnotherKind_IsOneError(string address)
        => Assert.Equal(
            [$"StickyWs:{Pool}:Backends:a:Address is '{address}': use tcp://host:port, without path, query or user info, "
                + "since the TLS that passes through is not the balancer's."],
            Written.ErrorsOf([.. Good, Good[2] with { Value = address }]));

    [Fact]
    public void Validate_TcpAddressWhereTlsEndsHere_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Pool}:Backends:a:Address is 'tcp://10.0.0.1:443': use http://host:port or https://host:port, without path, query or user info."],
            Written.ErrorsOf(Good[2]));

    [Fact]
    public void Validate_NamesWhereTlsEndsHere_AreOneError()
        => Assert.Equal([$"StickyWs:{Pool}:Match:ServerNames is 'mail.example.com': use Hosts, or set Tls to Passthrough."], Written.ErrorsOf(Good[1]));

    [Fact]
    public void Validate_TlsProbeWhereTlsEndsHere_IsOneError()
        => Assert.Equal(
            [$"StickyWs:{Pool}:Health is 'Tls': use Tcp, which does the TLS handshake with https backends, or set the pool's Tls to Passthrough."],
            Written.ErrorsOf(($"{Pool}:Health:Tls:Interval", "00:00:01")));

    [Fact]
    public void Validate_TlsProbeWithWildcardsOnly_WantsAName()
    {
        (string, string?)[] wild = [.. Good, Good[1] with { Value = "*.example.com" }, ($"{Pool}:Health:Tls:Interval", "00:00:01")];

        Assert.Equal(
            [$"StickyWs:{Pool}:Tls:ServerName is not set: name the server that the Tls probe asks for, since ServerNames has wildcards only."],
            Written.ErrorsOf(wild));
        Assert.Empty(Written.ErrorsOf([.. wild, ($"{Pool}:Tls:ServerName", "mail.example.com")]));
    }

    [Fact]
    public void Validate_NameOfTwoPools_IsOneError()
        => Assert.Equal(
            ["StickyWs:Pools:two:Match:ServerNames has 'MAIL.example.com', as pool 'chat' has: remove it from one of them."],
            Written.ErrorsOf([.. Good, .. Second("MAIL.example.com")]));

    [Fact]
    public void Validate_NameTwice_IsOneError()
        => Assert.Equal(
            ["StickyWs:Pools:chat:Match:ServerNames has 'Mail.example.com' twice: remove one."],
            Written.ErrorsOf([.. Good, ($"{Pool}:Match:ServerNames:1", "Mail.example.com")]));

    [Theory]
    [InlineData("*.example.com")]
    [InlineData("other.example.com")]
    public void Validate_OtherNameOfASecondPool_IsTaken(string name) => Assert.Empty(Written.ErrorsOf([.. Good, .. Second(name)]));

    [Fact]
    public void Validate_PoolForEveryRequestBesideIt_IsTaken()
        => Assert.Empty(Written.ErrorsOf([.. Good, ("Pools:web:Backends:a:Address", "http://127.0.0.1:5000")]));

    private static (string, string?)[] Second(string name) =>
    [
        ("Pools:two:Tls", "Passthrough"), ("Pools:two:Match:ServerNames:0", name), ("Pools:two:Backends:a:Address", "tcp://10.0.0.2:443"),
    ];
}
