using System.Text;
using StickyWs.Affinity;

namespace StickyWs.Tests.Affinity;

public sealed class CookiePairsTests
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
    public void TryFind_Line_IsTheFirstOfItsName(string line, string expected)
    {
        Assert.Equal(expected != "-", CookiePairs.TryFind(Encoding.Latin1.GetBytes(line), "sid"u8, out var value));
        Assert.Equal(expected == "-" ? "" : expected, Encoding.Latin1.GetString(value));
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void TryFind_LineThatKestrelRead_IsTheSame(string line, string expected)
    {
        var value = new byte[64];

        Assert.Equal(expected != "-", CookiePairs.TryFind(line, "sid"u8, value, out var length));
        Assert.Equal(expected == "-" ? "" : expected, Encoding.Latin1.GetString(value, 0, length));
    }

    [Fact]
    public void TryFind_ValueThatDoesNotFit_IsThereAndEmpty()
    {
        Assert.True(CookiePairs.TryFind("sid=12345", "sid"u8, new byte[4], out var length));
        Assert.Equal(0, length);
        Assert.True(CookiePairs.TryFind("sid=12345", "sid"u8, new byte[5], out length));
        Assert.Equal(5, length);
    }

    [Fact]
    public void TryFind_LongLineOfGarbage_FindsNothingAndThrowsNothing()
    {
        var random = new Random(3);
        for (var round = 0; round < 200; round++)
        {
            var line = new byte[random.Next(4096)];
            random.NextBytes(line);

            var isFound = CookiePairs.TryFind(line, "sid"u8, out _);

            Assert.Equal(isFound, CookiePairs.TryFind(Encoding.Latin1.GetString(line), "sid"u8, new byte[4096], out _));
        }
    }

    [Fact]
    public void TryFind_NoLine_IsNone() => Assert.False(CookiePairs.TryFind((string?)null, "sid"u8, new byte[4], out _));
}
