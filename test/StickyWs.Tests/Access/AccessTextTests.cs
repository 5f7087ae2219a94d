using StickyWs.Access;

namespace StickyWs.Tests.Access;

public sealed class AccessTextTests
{
    [Fact]
    public void Of_VisibleAscii_IsTheTextItself()
    {
        var text = string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\')));

        Assert.Same(text, AccessText.Of(text));
    }

    [Theory]
    [InlineData("a\r\nb", @"a\x0d\x0ab")]
    [InlineData("a b", @"a\x20b")]
    [InlineData("a\"b", @"a\x22b")]
    [InlineData(@"a\x0ab", @"a\x5cx0ab")]
    [InlineData("\u001b[31m\u007f\u0085", @"\x1b[31m\x7f\x85")]
    [InlineData("\u2028\u202e\ud83d\ude00", @"\u2028\u202e\ud83d\ude00")]
    [InlineData("", "")]
    public void Of_AnythingElse_IsEscaped(string text, string expected) => Assert.Equal(expected, AccessText.Of(text));

    [Fact]
    public void Of_EveryCharacter_LeavesOnlyVisibleAsciiWithoutQuotes()
    {
        for (var c = 0; c <= char.MaxValue; c++)
            Assert.All(AccessText.Of(((char)c).ToString()), one => Assert.True(one is > ' ' and < '\u007f' and not '"', $"U+{c:x4}"));
    }

    [Theory]
    [InlineData('a')]
    [InlineData('"')]
    [InlineData('\u2028')]
    public void Of_LongText_IsCutBetweenCharacters(char one)
    {
        var cut = AccessText.Of(new string(one, 32 * 1024));

        Assert.InRange(cut.Length, AccessText.Longest - 6, AccessText.Longest + 3);
        Assert.EndsWith("...", cut, StringComparison.Ordinal);
        var escaped = AccessText.Of(one.ToString());
        Assert.Equal("", cut[..^3].Replace(escaped, "", StringComparison.Ordinal));
    }
}
