using System.Text;
using StickyWs.Affinity;

namespace StickyWs.Tests.Affinity;

public sealed class TokenTextTests
{
    private const string Token = "dGhpc19pc19hX3Rva2Vu";

    [Theory]
    [InlineData(Token, true)]
    [InlineData("0123456789abcdef", true)]
    [InlineData("0123456789-_EF==", true)]
    [InlineData("1b4e28ba-2fa1-11d2-883f-0016d3cca427", true)]
    [InlineData("0123456789abcde", false)]
    [InlineData("5", false)]
    [InlineData("", false)]
    [InlineData("0123456789abcde/", false)]
    [InlineData("0123456789abcde+", false)]
    [InlineData("0123456789abcde ", false)]
    [InlineData("0123456789abcde\0", false)]
    [InlineData("0123456789abcde\u00e9", false)]
    [InlineData("0123456789abcde.", false)]
    public void IsToken_Text_IsBase64UrlAndLongEnough(string text, bool isToken) => Assert.Equal(isToken, TokenText.IsToken(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void IsToken_TooLong_IsNone()
    {
        Assert.True(TokenText.IsToken(Enumerable.Repeat((byte)'a', 512).ToArray()));
        Assert.False(TokenText.IsToken(Enumerable.Repeat((byte)'a', 513).ToArray()));
    }

    // body | the text of "sid"; "-" for none
    [Theory]
    [InlineData("""{"sid":"abc"}""", "abc")]
    [InlineData("""0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000}""", "abc")]
    [InlineData("""97:0{"sid":"abc"}2:40""", "abc")]
    [InlineData("""{"upgrades":["websocket",{"sid":"no"}],"x":{"sid":"no","y":[{"sid":"no"}]},"sid":"abc"}""", "abc")]
    [InlineData("""{ "a" : null , "b" : 1.5e3 , "sid" : "abc" }""", "abc")]
    [InlineData("""{"s\u0069d":"abc"}""", "abc")]
    [InlineData("""{"sid":"\u0061b\u0063"}""", "abc")]
    [InlineData("""{"sid":"a\"\\\/b"}""", "a\"\\/b")]
    [InlineData("""{"sid":""}""", "")]
    [InlineData("""{"sid":"first","sid":"second"}""", "first")]
    [InlineData("""{"sid":"abc","x":""", "abc")]
    [InlineData("""{"sid":"abc",,,""", "abc")]
    [InlineData("""{"sid":"abc" garbage""", "abc")]
    [InlineData("""{"sid":"ab""", "-")]
    [InlineData("""{"sid":""", "-")]
    [InlineData("""{"a":{"sid":"no"}""", "-")]
    [InlineData("""{"a":"x"}{"sid":"abc"}""", "-")]
    [InlineData("""{}{"sid":"abc"}""", "-")]
    [InlineData("""[{"sid":"abc"}]""", "abc")]
    [InlineData("""{"sid":5}""", "-")]
    [InlineData("""{"sid":null}""", "-")]
    [InlineData("""{"sid":true}""", "-")]
    [InlineData("""{"sid":["abc"]}""", "-")]
    [InlineData("""{"sid":{"sid":"abc"}}""", "-")]
    [InlineData("""{"SID":"abc"}""", "-")]
    [InlineData("""{"sid":"a\uD800"}""", "-")]
    [InlineData("""{"sid":"a\x"}""", "-")]
    [InlineData("{\"sid\":\"a\u0001b\"}", "-")]
    [InlineData("{\"sid\":\"a\0b\"}", "-")]
    [InlineData("{\"sid\":\"\u00ff\"}", "-")]
    [InlineData("""{'sid':'abc'}""", "-")]
    [InlineData("""{sid:"abc"}""", "-")]
    [InlineData("""{"x":1/**/,"sid":"abc"}""", "-")]
    [InlineData("""{"sid" "abc"}""", "-")]
    [InlineData("""{"sid":"abc"]""", "abc")]
    [InlineData("{", "-")]
    [InlineData("{{{{{{{{", "-")]
    [InlineData("}", "-")]
    [InlineData("", "-")]
    [InlineData("null", "-")]
    [InlineData("\"sid\":\"abc\"", "-")]
    public void TryMember_Body_IsTheTextOfAMemberAtTheTop(string body, string expected)
    {
        var value = new byte[64];

        Assert.Equal(expected != "-", TokenText.TryMember(Encoding.Latin1.GetBytes(body), "sid"u8, value, out var length));
        if (expected != "-") Assert.Equal(expected, Encoding.Latin1.GetString(value, 0, length));
    }

    [Theory]
    [InlineData("""97:0{"a":{"b":[1,2,{"c":"d"}]},"\u0073id":"\u0061bc","z":[]}""")]
    [InlineData(
        """{"negotiateVersion":1,"connectionId":"x","sid":"abc","availableTransports":[{"transport":"WebSockets","transferFormats":["Text","Binary"]}]}""")]
    public void TryMember_CutOffAnywhere_IsTheWholeTextOrNone(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var value = new byte[64];
        var wasFound = false;
        for (var length = 0; length <= bytes.Length; length++)
        {
            var isFound = TokenText.TryMember(bytes.AsSpan(0, length), "sid"u8, value, out var found);
            Assert.True(!wasFound || isFound, $"Found in less than {length} bytes, and no more.");
            if (isFound) Assert.Equal("abc", Encoding.UTF8.GetString(value, 0, found));
            wasFound = isFound;
        }

        Assert.True(wasFound);
    }

    [Fact]
    public void TryMember_DeepNesting_IsNoneAndThrowsNothing()
    {
        foreach (var depth in (int[])[10, 63, 64, 65, 1000, 16_000])
        {
            var body = Encoding.ASCII.GetBytes("{\"a\":" + new string('[', depth) + new string(']', depth) + ",\"sid\":\"abc\"}");
            Assert.Equal(depth < 64, TokenText.TryMember(body, "sid"u8, new byte[64], out _));
        }

        Assert.False(TokenText.TryMember(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"sid\":", 4000))), "sid"u8, new byte[64], out _));
    }

    [Fact]
    public void TryMember_SixteenKilobytesOfGarbage_ThrowsNothing()
    {
        var random = new Random(11);
        var garbage = new byte[16 * 1024];
        for (var round = 0; round < 200; round++)
        {
            random.NextBytes(garbage);
            if (round % 2 == 0) """{"sid":"""u8.CopyTo(garbage);
            TokenText.TryMember(garbage, "sid"u8, new byte[64], out _);
        }
    }

    [Fact]
    public void TryMember_AnyByteChanged_ThrowsNothing()
    {
        var good = """97:0{"sid":"a\u0062c","x":{"y":[1,"z"]}}"""u8.ToArray();
        for (var at = 0; at < good.Length; at++)
        {
            for (var b = 0; b < 256; b++)
            {
                byte[] bad = [.. good];
                bad[at] = (byte)b;
                TokenText.TryMember(bad, "sid"u8, new byte[64], out _);
            }
        }
    }

    [Fact]
    public void TryMember_TextThatDoesNotFit_IsNone()
    {
        Assert.False(TokenText.TryMember("""{"sid":"12345"}"""u8, "sid"u8, new byte[4], out _));
        Assert.True(TokenText.TryMember("""{"sid":"12345"}"""u8, "sid"u8, new byte[5], out _));
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
}
