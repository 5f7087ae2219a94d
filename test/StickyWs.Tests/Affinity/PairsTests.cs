using System.Text;
using StickyWs.Affinity;

namespace StickyWs.Tests.Affinity;

public sealed class PairsTests
{
    // line | the value of "sid", or "-" for none
    public static TheoryData<string, string> Lines => new()
    {
        { "sid=abc", "abc" },
        { "a=b; sid=abc; c=d", "abc" },
        { "a=b;sid=abc;c=d", "abc" },
        { "  sid=abc  ", "abc" },
        { "\tsid=abc\t;", "abc" },
        { ";;; ; sid=abc;;", "abc" },
        { "sid=first; sid=second", "first" },
        { "sid=", "" },
        { "sid=; sid=second", "" },
        { "sid==a=b=", "=a=b=" },
        { "sid=\"quoted\"", "\"quoted\"" },
        { "sid=a b", "a b" },
        { "sid=a%20b", "a%20b" },
        { "sid=\u00e9\u00ff", "\u00e9\u00ff" },
        { "sid=a\0b", "a\0b" },
        { "xsid=1; sidx=2; =sid; sid2=3", "-" },
        { "SID=abc; Sid=abc", "-" },
        { "sid", "-" },
        { "sid; sid =a; sid", "-" },
        { "=", "-" },
        { "=abc", "-" },
        { ";", "-" },
        { "   ", "-" },
        { "", "-" },
        { "a=\"x; sid=abc\"", "abc\"" },
        { "\0sid=abc", "-" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void TryFindCookie_Line_IsTheFirstOfItsName(string line, string expected)
    {
        Assert.Equal(expected != "-", Pairs.TryFindCookie(Encoding.Latin1.GetBytes(line), "sid"u8, out var value));
        Assert.Equal(expected == "-" ? "" : expected, Encoding.Latin1.GetString(value));
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void TryFindCookie_LineThatKestrelRead_IsTheSame(string line, string expected)
    {
        var value = new byte[64];

        Assert.Equal(expected != "-", Pairs.TryFindCookie(line, "sid"u8, value, out var length));
        Assert.Equal(expected == "-" ? "" : expected, Encoding.Latin1.GetString(value, 0, length));
    }

    [Fact]
    public void TryFindCookie_ValueThatDoesNotFit_IsThereAndEmpty()
    {
        Assert.True(Pairs.TryFindCookie("sid=12345", "sid"u8, new byte[4], out var length));
        Assert.Equal(0, length);
        Assert.True(Pairs.TryFindCookie("sid=12345", "sid"u8, new byte[5], out length));
        Assert.Equal(5, length);
    }

    [Fact]
    public void TryFindCookie_LongLineOfGarbage_FindsNothingAndThrowsNothing()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var line = new byte[random.Next(4096)];
            random.NextBytes(line);

            var isFound = Pairs.TryFindCookie(line, "sid"u8, out _);

            Assert.Equal(isFound, Pairs.TryFindCookie(Encoding.Latin1.GetString(line), "sid"u8, new byte[4096], out _));
        }
    }

    [Fact]
    public void TryFindCookie_NoLine_IsNone() => Assert.False(Pairs.TryFindCookie((string?)null, "sid"u8, new byte[4], out _));

    // query | the value of "room"; "-" for none
    [Theory]
    [InlineData("room=1", "1")]
    [InlineData("a=b&room=1&c=d", "1")]
    [InlineData("ROOM=1", "1")]
    [InlineData("Room=x", "x")]
    [InlineData("room=1&room=2", "1")]
    [InlineData("room=&room=2", "-")]
    [InlineData("room=", "-")]
    [InlineData("room", "-")]
    [InlineData("room&room=1", "1")]
    [InlineData("&&&room=1&", "1")]
    [InlineData("=1", "-")]
    [InlineData("=", "-")]
    [InlineData("", "-")]
    [InlineData("&", "-")]
    [InlineData("xroom=1&rooms=2", "-")]
    [InlineData("room=a=b", "a=b")]
    [InlineData("room==", "=")]
    [InlineData("room=a%20b", "a b")]
    [InlineData("room=a+b", "a b")]
    [InlineData("room=a%2Bb", "a+b")]
    [InlineData("room=%61%62", "ab")]
    [InlineData("room=%", "%")]
    [InlineData("room=%4", "%4")]
    [InlineData("room=a%", "a%")]
    [InlineData("room=%41", "A")]
    [InlineData("room=%4g", "%4g")]
    [InlineData("room=%g1%41", "%g1A")]
    [InlineData("room=%%41", "%A")]
    [InlineData("room=%2541", "%41")]
    [InlineData("room=%00", "\0")]
    [InlineData("room=%c3%A9", "\u00c3\u00a9")]
    [InlineData("room=%26a%3Db", "&a=b")]
    [InlineData("room=a?b/c;d", "a?b/c;d")]
    [InlineData("room=1;x&y", "1;x")]
    [InlineData("ro%6Fm=1", "1")]
    [InlineData("%72%6f%6F%6D=1", "1")]
    [InlineData("%52OOM=1", "1")]
    [InlineData("room%=1", "-")]
    [InlineData("room%00=1", "-")]
    [InlineData("ro+om=1", "-")]
    [InlineData("%=1&room=2", "2")]
    public void TryFindParameter_Query_IsTheFirstOfItsNameDecoded(string query, string expected) => Check(query, "room", expected);

    [Theory]
    [InlineData("my+room=1", "my room", "1")]
    [InlineData("my%20room=1", "my room", "1")]
    [InlineData("k%C3%A4se=1", "k\u00e4se", "1")]
    [InlineData("K%c3%a4SE=1", "k\u00e4se", "1")]
    [InlineData("a%26b=1", "a&b", "1")]
    [InlineData("a%3Db=1", "a=b", "1")]
    [InlineData("a%2Bb=1", "a+b", "1")]
    [InlineData("a+b=1", "a+b", "-")]
    public void TryFindParameter_NameThatHasToBeDecoded_IsFoundByTheDecodedOne(string query, string name, string expected) => Check(query, name, expected);

    [Fact]
    public void TryFindParameter_ValueThatDoesNotFit_IsNone()
    {
        Assert.False(Pairs.TryFindParameter("room=12345"u8, "room"u8, new byte[4], out _));
        Assert.True(Pairs.TryFindParameter("room=12345"u8, "room"u8, new byte[5], out var length));
        Assert.Equal(5, length);
        Assert.True(Pairs.TryFindParameter("room=%31%32%33%34%35"u8, "room"u8, new byte[5], out _));
        Assert.False(Pairs.TryFindParameter("room=%31%32%33%34%35"u8, "room"u8, new byte[4], out _));
    }

    [Fact]
    public void TryFindParameter_RandomBytes_ThrowsNothing()
    {
        var random = new Random(5);
        var alphabet = "room=&%+;4161\0\u00ff"u8;
        for (var round = 0; round < 20_000; round++)
        {
            var query = new byte[random.Next(40)];
            foreach (ref var b in query.AsSpan()) b = alphabet[random.Next(alphabet.Length)];

            if (Pairs.TryFindParameter(query, "room"u8, new byte[8], out var length)) Assert.InRange(length, 1, 8);
        }
    }

    [Theory]
    [InlineData("/a?b=c", "b=c")]
    [InlineData("/a?b=c?d", "b=c?d")]
    [InlineData("/a?", "")]
    [InlineData("/a", "")]
    [InlineData("", "")]
    public void QueryOf_Target_IsWhatIsBehindTheFirstQuestionMark(string target, string expected)
        => Assert.Equal(expected, Encoding.ASCII.GetString(Pairs.QueryOf(Encoding.ASCII.GetBytes(target))));

    private static void Check(string query, string name, string expected)
    {
        var value = new byte[64];

        Assert.Equal(expected != "-", Pairs.TryFindParameter(Encoding.ASCII.GetBytes(query), Encoding.UTF8.GetBytes(name), value, out var length));
        if (expected != "-") Assert.Equal(expected, Encoding.Latin1.GetString(value, 0, length));
    }
}
