using System.Net;
using StickyWs.Affinity;
using StickyWs.Configuration;
using StickyWs.Pinning;
using StickyWs.Tests.Backends;

namespace StickyWs.Tests.Affinity;

public sealed class ClientAddressRuleTests
{
    // peer | bits of IPv4, of IPv6 | the network that counts
    [Theory]
    [InlineData("10.1.2.3", 32, 64, "10.1.2.3")]
    [InlineData("10.1.2.3", 24, 64, "10.1.2.0")]
    [InlineData("10.1.2.255", 31, 64, "10.1.2.254")]
    [InlineData("10.1.2.3", 20, 64, "10.1.0.0")]
    [InlineData("10.1.2.3", 8, 64, "10.0.0.0")]
    [InlineData("255.1.2.3", 1, 64, "128.0.0.0")]
    [InlineData("::ffff:10.1.2.3", 24, 64, "10.1.2.0")]
    [InlineData("2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::")]
    [InlineData("2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6")]
    [InlineData("2001:db8:ffff:2:3:4:5:6", 32, 36, "2001:db8:f000::")]
    [InlineData("ffff::1", 32, 1, "8000::")]
    [InlineData("fe80::1%3", 32, 128, "fe80::1")]
    public void TryKey_Peer_IsItsNetwork(string peer, int v4, int v6, string network)
        => Check(Rule(v4, v6), peer, "", Key(v4, v6, network));

    [Fact]
    public void TryKey_NoPeer_IsNone()
    {
        Assert.False(Rule().TryKey(Views.Sniffed(peer: null), out _));
        Assert.False(Rule().TryKey(Views.Parsed(peer: null), out _));
        Assert.False(Rule(trusted: "0.0.0.0/0").TryKey(Views.Parsed(headers: "X-Forwarded-For: 1.2.3.4", peer: null), out _));
    }

    [Fact]
    public void TryKey_OtherPrefixLengths_AreOtherKeys()
    {
        Assert.True(Rule(24, 64).TryKey(Views.Sniffed(peer: "10.1.2.0"), out var one));
        Assert.True(Rule(32, 64).TryKey(Views.Sniffed(peer: "10.1.2.0"), out var other));
        Assert.NotEqual(one, other);
    }

    // The trusted network is 10.0.0.0/8. X-Forwarded-For | the address that counts, from 10.0.0.9
    [Theory]
    [InlineData("X-Forwarded-For: 1.2.3.4", "1.2.3.4")]
    [InlineData("x-forwarded-for: 6.6.6.6, 1.2.3.4", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 6.6.6.6,1.2.3.4,10.0.0.7,10.0.0.8", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 10.0.0.7, 10.0.0.8", "10.0.0.7")]
    [InlineData("X-Forwarded-For: 1.2.3.4:4711", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 6.6.6.6, 1.2.3.4:4711 , 10.0.0.7:1", "1.2.3.4")]
    [InlineData("X-Forwarded-For: [2001:db8::1]:4711", "2001:db8::")]
    [InlineData("X-Forwarded-For: [2001:db8::1]", "2001:db8::")]
    [InlineData("X-Forwarded-For: 2001:db8::1", "2001:db8::")]
    [InlineData("X-Forwarded-For: ::ffff:1.2.3.4", "1.2.3.4")]
    [InlineData("X-Forwarded-For: ::ffff:10.0.0.7", "10.0.0.7")]
    [InlineData("X-Forwarded-For: 1.2.3.4, unknown", "10.0.0.9")]
    [InlineData("X-Forwarded-For: unknown", "10.0.0.9")]
    [InlineData("X-Forwarded-For: 1.2.3.4, _hidden, 10.0.0.7", "10.0.0.7")]
    [InlineData("X-Forwarded-For: ,", "10.0.0.9")]
    [InlineData("X-Forwarded-For: 1.2.3.4,", "10.0.0.9")]
    [InlineData("X-Forwarded-For:", "10.0.0.9")]
    [InlineData("X-Forwarded-For: [", "10.0.0.9")]
    [InlineData("X-Forwarded-For: 1.2.3.4:99999", "10.0.0.9")]
    [InlineData("X-Forwarded-For: \u00e9", "10.0.0.9")]
    [InlineData("X-Forwarded-For: 1.2.3.4 5.6.7.8", "10.0.0.9")]
    [InlineData("Forwarded: for=1.2.3.4", "10.0.0.9")]
    [InlineData("", "10.0.0.9")]
    [InlineData("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-For: 10.0.0.7", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-For: 10.0.0.8", "1.2.3.4")]
    [InlineData("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For:\r\nX-Forwarded-For: 10.0.0.8", "10.0.0.8")]
    [InlineData("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: garbage\r\nX-Forwarded-For: 10.0.0.8", "10.0.0.8")]
    public void TryKey_BehindTrustedProxies_IsTheNearestThatIsNone(string headers, string address)
        => Check(Rule(trusted: "10.0.0.0/8"), "10.0.0.9", headers, Key(32, 64, address));

    [Theory]
    [InlineData("X-Forwarded-For: 1.2.3.4")]
    [InlineData("X-Forwarded-For: 10.0.0.7")]
    [InlineData("X-Forwarded-For: \u00ff, , ,")]
    public void TryKey_FromSomebodyElse_IsThePeerWhateverItWrites(string headers)
    {
        Check(Rule(trusted: "10.0.0.0/8"), "11.0.0.9", headers, Key(32, 64, "11.0.0.9"));
        Check(Rule(), "10.0.0.9", headers, Key(32, 64, "10.0.0.9"));
    }

    [Fact]
    public void TryKey_LineThatIsTooLong_IsTheProxy()
        => Check(Rule(trusted: "10.0.0.0/8"), "10.0.0.9", "X-Forwarded-For: " + string.Join(", ", Enumerable.Repeat("1.2.3.4", 200)), Key(32, 64, "10.0.0.9"));

    [Fact]
    public void TryKey_RandomForwarding_ThrowsNothing()
    {
        var random = new Random(17);
        var rule = Rule(trusted: "0.0.0.0/0");
        const string Alphabet = "0123456789.:[],% afx\u00e9\t";
        for (var round = 0; round < 5000; round++)
        {
            var line = new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);

            Assert.True(rule.TryKey(Views.Parsed(headers: "X-Forwarded-For: " + line, peer: "10.0.0.9"), out var key));
            Assert.True(rule.TryKey(Views.Sniffed(headers: "X-Forwarded-For: " + line, peer: "10.0.0.9"), out var sniffed));
            Assert.Equal(key, sniffed);
        }
    }

    private static ClientAddressRule Rule(int v4 = 32, int v6 = 64, string? trusted = null)
    {
        var options = new StickyWsOptions();
        if (trusted is not null) options.TrustedProxies.Add(trusted);
        return new ClientAddressRule("chat", Fleet.Registry(options), v4, v6);
    }

    private static PinKey Key(int v4, int v6, string address)
        => PinKey.Of(PinKey.Prefix("chat", "address", $"{v4} {v6}"), IPAddress.Parse(address).GetAddressBytes());

    private static void Check(ClientAddressRule rule, string peer, string headers, PinKey expected)
    {
        Assert.True(rule.TryKey(Views.Sniffed(headers: headers, peer: peer), out var sniffed));
        Assert.True(rule.TryKey(Views.Parsed(headers: headers, peer: peer), out var parsed));
        Assert.Equal((expected, expected), (sniffed, parsed));
    }
}
