using System.Text;
using StickyWs.Affinity;
using StickyWs.Pinning;

namespace StickyWs.Tests.Affinity;

public sealed class HashRuleTests
{
    [Theory]
    [InlineData("X-User: ann", "ann")]
    [InlineData("x-user: ann\r\nX-User: bob", "ann")]
    [InlineData("X-User: \u00e9", "\u00e9")]
    [InlineData("X-User:", null)]
    [InlineData("X-Other: ann", null)]
    public void Header_Request_IsTheKeyOfTheFirst(string headers, string? value)
    {
        var expected = value is null ? default : PinKey.Of(PinKey.Prefix("chat", "header", "X-USER"), Encoding.Latin1.GetBytes(value));

        Check(new HeaderRule("chat", "X-User"), "/", headers, expected);
        Check(new HeaderRule("CHAT", "x-user"), "/", headers, expected);
    }

    [Theory]
    [InlineData("/?room=lobby", "lobby")]
    [InlineData("/?ROOM=lob%62y", "lobby")]
    [InlineData("/?room=", null)]
    [InlineData("/", null)]
    public void Query_Request_IsTheKeyOfTheDecodedValue(string target, string? value)
    {
        var expected = value is null ? default : PinKey.Of(PinKey.Prefix("chat", "query", "ROOM"), Encoding.Latin1.GetBytes(value));

        Check(new QueryRule("chat", "room"), target, "", expected);
        Check(new QueryRule("Chat", "Room"), target, "", expected);
    }

    [Theory]
    [InlineData(PinKey.LongestValue, true)]
    [InlineData(PinKey.LongestValue + 1, false)]
    public void HeaderAndQuery_LongValue_CountsUpToItsLimit(int length, bool isKey)
    {
        var value = new string('x', length);
        foreach (var view in (RequestView[])[Views.Sniffed("/?room=" + value, "X-User: " + value), Views.Parsed("/?room=" + value, "X-User: " + value)])
        {
            Assert.Equal(isKey, new HeaderRule("chat", "X-User").TryKey(view, out var key));
            Assert.Equal(isKey, !key.IsNone);
            Assert.Equal(isKey, new QueryRule("chat", "room").TryKey(view, out key));
            Assert.Equal(isKey, !key.IsNone);
        }
    }

    [Fact]
    public void HeaderAndQuery_SameNameSameValue_AreDifferentKeys()
    {
        var view = Views.Sniffed("/?room=1", "room: 1");

        Assert.True(new HeaderRule("chat", "room").TryKey(view, out var header));
        Assert.True(new QueryRule("chat", "room").TryKey(view, out var query));
        Assert.True(new QueryRule("other", "room").TryKey(view, out var other));
        Assert.Equal(3, new HashSet<PinKey> { header, query, other }.Count);
    }

    private static void Check(HashRule rule, string target, string headers, PinKey expected)
    {
        foreach (var view in (RequestView[])[Views.Sniffed(target, headers), Views.Parsed(target, headers)])
        {
            Assert.Equal(!expected.IsNone, rule.TryKey(view, out var key));
            Assert.Equal(expected, key);
        }
    }
}
