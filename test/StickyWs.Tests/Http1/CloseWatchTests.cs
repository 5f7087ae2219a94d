using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using StickyWs.Http1;
using StickyWs.Tests.Detection;

namespace StickyWs.Tests.Http1;

public sealed class CloseWatchTests
{
    private static readonly byte[] Mask = [0x37, 0xfa, 0x21, 0x3d];

    public static TheoryData<bool> BothDirections { get; } = new(true, false);

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_ACloseOfEveryLength_SeesIt(bool isMasked)
    {
        foreach (var close in Closes(isMasked)) Assert.True(HasSeen(isMasked, close), $"{close.Length} bytes");
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_ACloseBehindOtherFrames_SeesIt(bool isMasked)
    {
        foreach (var before in new[] { 0, 1, 125, 126, 5000, 70_000 })
        {
            foreach (var close in Closes(isMasked))
                Assert.True(HasSeen(isMasked, [.. Frame(0x82, new byte[before], isMasked), .. close]), $"{close.Length} bytes behind {before}");
        }
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_ACloseByItselfCutInTwo_SeesItWhenItIsWhole(bool isMasked)
    {
        foreach (var close in Closes(isMasked))
        {
            for (var at = 1; at < close.Length; at++)
            {
                Assert.False(HasSeen(isMasked, close[..at]));
                Assert.True(HasSeen(isMasked, close[..at], close[at..]), $"{close.Length} bytes cut at {at}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_ACloseByteByByte_SeesItAtTheLast(bool isMasked)
    {
        foreach (var close in Closes(isMasked))
        {
            var watch = default(CloseWatch);
            for (var i = 0; i < close.Length; i++)
            {
                Assert.False(watch.HasSeen);
                watch.Look([close[i]], isMasked);
            }

            Assert.True(watch.HasSeen);
        }
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_MoreAfterAClose_ForgetsIt(bool isMasked)
    {
        var close = Close(1000, "bye", isMasked);

        Assert.False(HasSeen(isMasked, close, "x"u8.ToArray()));
        Assert.False(HasSeen(isMasked, [.. close, 0]));
        Assert.False(HasSeen(isMasked, close[..3], [.. close[3..], 0]));
        Assert.True(HasSeen(isMasked, close, "x"u8.ToArray(), close));
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_AnEmptyPiece_ChangesNothing(bool isMasked)
    {
        Assert.True(HasSeen(isMasked, Close(1000, "", isMasked), []));
        Assert.False(HasSeen(isMasked, []));
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_OtherFrames_SeesNone(bool isMasked)
    {
        foreach (var opcode in new byte[] { 0x81, 0x82, 0x89, 0x8a, 0x08, 0x01, 0x00, 0xc8, 0xc1 })
            Assert.False(HasSeen(isMasked, Frame(opcode, [3, 232], isMasked)), $"{opcode:x}");
        Assert.False(HasSeen(isMasked, "hello"u8.ToArray()));
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_WhatNoCloseMayBe_SeesNone(bool isMasked)
    {
        var ping = Frame(0x89, [1, 2, 3], isMasked);

        Assert.False(HasSeen(isMasked, Frame(0x88, [3], isMasked))); // A body of one byte.
        Assert.False(HasSeen(isMasked, [.. ping, .. Close(999, "", isMasked)]));
        Assert.False(HasSeen(isMasked, [.. ping, .. Close(5000, "", isMasked)]));
        Assert.False(HasSeen(isMasked, Close(1000, "", !isMasked)));
        Assert.False(HasSeen(isMasked, [.. ping, .. Close(1000, "", !isMasked)]));
        Assert.False(HasSeen(isMasked, Frame(0x88, new byte[126], isMasked)));
    }

    // What messages are made of, compressed or not, hardly ever ends like a Close.
    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_RandomBytes_SeesHardlyAny(bool isMasked)
    {
        var random = new Random(7);
        var piece = new byte[300];
        var seen = 0;
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(piece);
            if (HasSeen(isMasked, piece) == true) seen++;
        }

        Assert.InRange(seen, 0, 20);
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_NothingButOpcodes_EndsAndSeesNone(bool isMasked)
    {
        var piece = new byte[64 * 1024];
        piece.AsSpan().Fill(0x88);

        Assert.False(HasSeen(isMasked, piece));
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_ASequence_IsOnePieceHoweverItIsCut(bool isMasked)
    {
        foreach (var close in Closes(isMasked))
        {
            byte[] bytes = [.. Frame(0x82, RandomNumberGenerator.GetBytes(200), isMasked), .. close];
            foreach (var size in new[] { 1, 2, 3, 100, 131, 132, 4096 })
            {
                var watch = default(CloseWatch);
                watch.Look(Cut(bytes, size), isMasked);
                Assert.True(watch.HasSeen, $"{close.Length} bytes in segments of {size}");
                watch.Look(Cut([.. bytes, 1, 2], size), isMasked);
                Assert.False(watch.HasSeen);
            }
        }
    }

    [Fact]
    public void State_CarriedOver_GoesOnWhereItWas()
    {
        var close = Close(1000, "bye", isMasked: false);
        var watch = default(CloseWatch);
        watch.Look(close.AsSpan(0, 3), isMasked: false);

        var next = new CloseWatch(watch.State);
        next.Look(close.AsSpan(3), isMasked: false);

        Assert.False(watch.HasSeen);
        Assert.True(next.HasSeen);
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Look_AfterUnseenBytes_GoesByWhatItSeesFromThereOn(bool isMasked)
    {
        var unseen = new CloseWatch(CloseWatch.AfterUnseen);
        var (close, other) = (unseen, unseen);
        close.Look(Close(1000, "bye", isMasked), isMasked);
        other.Look("x"u8, isMasked);
        unseen.Look([], isMasked);

        Assert.Null(unseen.HasSeen);
        Assert.True(close.HasSeen);
        Assert.False(other.HasSeen);
    }

    private static bool? HasSeen(bool isMasked, params byte[][] pieces)
    {
        var watch = default(CloseWatch);
        foreach (var piece in pieces) watch.Look(piece, isMasked);
        return watch.HasSeen;
    }

    private static ReadOnlySequence<byte> Cut(byte[] bytes, int size)
        => Pieces.Of(bytes, Enumerable.Range(1, (bytes.Length - 1) / size).Select(piece => piece * size));

    private static IEnumerable<byte[]> Closes(bool isMasked)
    {
        yield return Frame(0x88, [], isMasked);
        foreach (var code in new[] { 1000, 1001, 1011, 3000, 4999 })
        {
            foreach (var length in new[] { 0, 1, 60, 123 }) yield return Close(code, new string('r', length), isMasked);
        }
    }

    private static byte[] Close(int code, string reason, bool isMasked)
        => Frame(0x88, [(byte)(code >> 8), (byte)code, .. Encoding.UTF8.GetBytes(reason)], isMasked);

    private static byte[] Frame(byte first, byte[] body, bool isMasked)
    {
        var flag = isMasked ? 0x80 : 0;
        byte[] length = body.Length switch
        {
            < 126 => [(byte)(flag | body.Length)],
            < 65_536 => [(byte)(flag | 126), (byte)(body.Length >> 8), (byte)body.Length],
            _ => [(byte)(flag | 127), 0, 0, 0, 0, (byte)(body.Length >> 24), (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length],
        };
        if (!isMasked) return [first, .. length, .. body];
        return [first, .. length, .. Mask, .. body.Select((value, i) => (byte)(value ^ Mask[i % 4]))];
    }
}
