using System.Text;
using StickyWs.Frames;

namespace StickyWs.Tests.Frames;

public sealed class CloseFrameTests
{
    [Fact]
    public void Write_ToAClient_IsACloseWithCodeAndReason()
        => Assert.Equal([0x88, 6, 3, 0xF4, .. "gone"u8], Write(1012, "gone", isMasked: false));

    [Fact]
    public void Write_ToABackend_IsMaskedWithAKeyOfItsOwn()
    {
        var (first, second) = (Write(1001, "going away", isMasked: true), Write(1001, "going away", isMasked: true));

        Assert.Equal([0x88, 0x8C], first[..2]);
        Assert.Equal([3, 0xE9, .. "going away"u8], first[6..].Select((one, i) => (byte)(one ^ first[2 + (i % 4)])));
        Assert.NotEqual(first[2..6], second[2..6]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Write_WhateverReason_IsWhatTheCursorReads(bool isMasked)
    {
        foreach (var reason in new[] { "", "x", new string('x', 123), new string('x', 124), new string('ü', 100), string.Concat(Enumerable.Repeat("🙂", 50)) })
        {
            var close = Write(4242, reason, isMasked);
            var cursor = isMasked ? FrameCursor.OfClient : FrameCursor.OfBackend;
            Assert.Equal(close.Length, cursor.FollowFrame([.. close, 1, 2, 3]));
            Assert.Equal(4242, cursor.CloseCode);
        }
    }

    [Fact]
    public void Write_ReasonThatDoesNotFit_IsCutBetweenCharacters()
    {
        var close = Write(1001, "x" + new string('ü', 100), isMasked: false);

        Assert.Equal(CloseFrame.LongestReason, close.Length - 4);
        Assert.Equal("x" + new string('ü', 61), Encoding.UTF8.GetString(close.AsSpan(4)));
    }

    private static byte[] Write(ushort code, string reason, bool isMasked)
    {
        var frame = new byte[CloseFrame.Longest];
        return frame[..CloseFrame.Write(frame, code, reason, isMasked)];
    }
}
