using System.Text;
using StickyWs.Pinning;

namespace StickyWs.Tests.Pinning;

public sealed class PinKeyTests
{
    private static readonly (string Pool, string Kind, string Name, string Value)[] Different =
    [
        ("chat", "query", "room", "1"), ("chats", "query", "room", "1"), ("chat", "header", "room", "1"), ("chat", "query", "rooms", "1"),
        ("chat", "query", "room", "2"), ("chat", "query", "room", ""),
        ("chat", "query", "a", "b\nc"), ("chat", "query", "a\nB", "c"), ("chat", "query", "a\nB\nC", ""), ("chat\nquery\nA", "query", "b", "c"),
        ("chat", "query", "", "a\nB\nc"),
        ("chat", "query", "a", "1\nB\nc"), ("chat", "query", "a\n1", "B\nc"), ("chat", "query", "a\n1\nB", "c"), ("", "query", "chat", "1"),
        ("", "query", "", "1"), ("chat", "", "query\nroom", "1"),
    ];

    // Instances of different versions have to agree, and what a shared store holds has to be found again: this vector never changes.
    [Theory]
    [InlineData("chat", "signalr", "", "dGhpc19pc19hX3Rva2Vu", "146e4d1d802ab390f86f8ba5c94b6c49")]
    [InlineData("ch\u00e4t", "query", "ROOM", "lobby", "ae25267153e8291ffd6dc1b6107936a7")]
    public void Of_KnownValue_IsAsEver(string pool, string kind, string name, string value, string expected)
        => Assert.Equal(expected, Key(pool, kind, name, value).ToString());

    [Fact]
    public void Of_PoolKindNameAndValue_EachTellApart()
        => Assert.Equal(Different.Length, Different.Select(parts => Key(parts.Pool, parts.Kind, parts.Name, parts.Value)).Distinct().Count());

    [Fact]
    public void Of_PoolInAnotherCase_IsTheSame() => Assert.Equal(Key("chat", "query", "room", "x"), Key("CHAT", "query", "room", "x"));

    [Fact]
    public void Of_ValueInAnotherCase_IsAnother() => Assert.NotEqual(Key("chat", "query", "room", "x"), Key("chat", "query", "room", "X"));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(PinKey.LongestValue)]
    [InlineData(PinKey.LongestValue + 1)]
    [InlineData(100_000)]
    public void Of_AnyLength_CountsEveryByte(int length)
    {
        var prefix = PinKey.Prefix("chat", "query", "room");
        var value = new byte[length];
        HashSet<PinKey> keys = [PinKey.Of(prefix, value), PinKey.Of(prefix, [.. value, 0])];
        if (length > 0)
        {
            value[^1] = 1;
            keys.Add(PinKey.Of(prefix, value));
        }

        Assert.Equal(length > 0 ? 3 : 2, keys.Count);
    }

    [Fact]
    public void Of_LongPrefix_IsTakenWhole()
    {
        var pool = new string('p', 2000);

        Assert.NotEqual(PinKey.Of(PinKey.Prefix(pool, "query", "a"), "x"u8), PinKey.Of(PinKey.Prefix(pool, "query", "b"), "x"u8));
    }

    [Fact]
    public void ToString_AndBack_IsTheSame()
    {
        foreach (var key in (PinKey[])[default, new(0, 1), new(1, 0), new(ulong.MaxValue, ulong.MaxValue), PinKey.Random()])
        {
            Assert.Equal(32, key.ToString().Length);
            Assert.True(PinKey.TryParse(key.ToString(), out var parsed));
            Assert.Equal(key, parsed);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000000000000000000000000000 ")]
    [InlineData("0000000000000000000000000000000")]
    [InlineData(" 0000000000000000000000000000000")]
    [InlineData("0x000000000000000000000000000000")]
    [InlineData("-0000000000000000000000000000001")]
    [InlineData("0000000000000000+000000000000001")]
    [InlineData("000000000000000000000000000000g0")]
    [InlineData("0000000000000000000000000000000\u0661")]
    public void TryParse_WhatIsNoKey_IsRefused(string text)
    {
        Assert.False(PinKey.TryParse(text, out var key));
        Assert.True(key.IsNone);
    }

    [Fact]
    public void Write_AndRead_IsTheSame()
    {
        var key = PinKey.Random();
        var bytes = new byte[16];

        key.Write(bytes);

        Assert.Equal(key, PinKey.Read(bytes));
        Assert.Equal(key.ToString(), Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void Random_IsNeverTheSame() => Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => PinKey.Random()).Distinct().Count());

    private static PinKey Key(string pool, string kind, string name, string value) => PinKey.Of(PinKey.Prefix(pool, kind, name), Encoding.UTF8.GetBytes(value));
}
