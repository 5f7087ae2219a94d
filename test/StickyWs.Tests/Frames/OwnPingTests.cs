using StickyWs.Frames;
using StickyWs.TestKit;

namespace StickyWs.Tests.Frames;

public sealed class OwnPingTests
{
    public static TheoryData<bool> Sides { get; } = [true, false];

    [Theory]
    [MemberData(nameof(Sides))]
    public void Write_IsAPingOfAnUnguessablePayload(bool isToClient)
    {
        var payloads = Enumerable.Range(0, 100).Select(_ => OwnPings.PayloadOf(Ask(new OwnPing(isToClient)))).ToArray();

        Assert.Equal(100, payloads.Select(payload => Convert.ToHexString(payload, 0, 8)).Distinct().Count());
        Assert.All(payloads, payload => Assert.Equal(OwnPings.Payload, payload.Length));
    }

    [Fact]
    public void Write_ToABackend_IsMaskedWithAKeyOfItsOwn()
    {
        var ping = new OwnPing(isToClient: false);

        Assert.NotEqual(Ask(ping)[2..6], Ask(ping)[2..6]);
    }

    // At each byte, and byte by byte: what is before and after it passes, and it does not.
    [Theory]
    [MemberData(nameof(Sides))]
    public void Take_Pong_CutAnywhere_IsTakenOut(bool isToClient)
    {
        byte[] before = [.. OwnPings.Frame(0x01, [1, 2], isToClient), .. OwnPings.Frame(0x8A, [], isToClient)];
        byte[] after = [.. OwnPings.Frame(0x80, [3], isToClient), .. OwnPings.Frame(0x8A, new byte[OwnPings.Payload], isToClient)];
        var length = OwnPings.Answer(Ask(new OwnPing(isToClient))).Length;
        for (var cut = 0; cut <= before.Length + length + after.Length; cut++)
        {
            var ping = new OwnPing(isToClient);
            byte[] all = [.. before, .. OwnPings.Answer(Ask(ping)), .. after];

            Assert.Equal([.. before, .. after], Pass(ping, isToClient, all[..cut], all[cut..]));
            Assert.True(ping.IsAnswered);
        }

        var last = new OwnPing(isToClient);
        byte[][] single = [.. before.Concat(OwnPings.Answer(Ask(last))).Concat(after).Select(one => new[] { one })];
        Assert.Equal([.. before, .. after], Pass(last, isToClient, single));
    }

    // With another payload, key, length, opcode, or with bits set that no control frame of ours has.
    [Theory]
    [MemberData(nameof(Sides))]
    public void Take_WhatIsNoPongOfOurs_PassesUntouched(bool isToClient)
    {
        var length = OwnPings.Answer(Ask(new OwnPing(isToClient))).Length;
        for (var wrong = 0; wrong < length; wrong++)
        {
            for (var bit = 1; bit < 256; bit <<= 1)
            {
                var ping = new OwnPing(isToClient);
                var pong = OwnPings.Answer(Ask(ping));
                pong[wrong] ^= (byte)bit;

                foreach (var cut in new[] { 1, wrong, wrong + 1, length - 1 })
                    Assert.Equal(pong, Pass(ping, isToClient, pong[..cut], pong[cut..]));
                Assert.False(ping.IsAnswered);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void Take_PayloadOfAPongWithinAMessage_Passes(bool isToClient)
    {
        var ping = new OwnPing(isToClient);
        var message = OwnPings.Frame(0x82, OwnPings.Answer(Ask(ping)), isToClient);

        Assert.Equal(message, Pass(ping, isToClient, [.. message.Select(one => new[] { one })]));
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void Take_LongestPong_IsHeldBackNoFurtherThanItDiffers(bool isToClient)
    {
        var ping = new OwnPing(isToClient);
        Ask(ping);
        var pong = OwnPings.Frame(0x8A, new byte[125], isToClient);

        Assert.Equal(pong, Pass(ping, isToClient, [.. pong.Select(one => new[] { one })]));
        Assert.Equal(0, ping.Take(FrameCursor.OfClient, [0x8A]).Pass);
        Assert.Equal(2, ping.Take(FrameCursor.OfClient, [0xFD]).Pass);
    }

    // A peer may answer the last one only; and no answer counts twice, however often it comes.
    [Theory]
    [MemberData(nameof(Sides))]
    public void Take_PongsOfARepeatedPing_AreTakenOutOnceEach(bool isToClient)
    {
        var ping = new OwnPing(isToClient);
        byte[][] pongs = [.. Enumerable.Range(0, 3).Select(_ => OwnPings.Answer(Ask(ping)))];

        Assert.Equal(pongs[1], Pass(ping, isToClient, pongs[1], pongs[1]));
        Assert.False(ping.IsAnswered);
        Assert.Equal(pongs[0], Pass(ping, isToClient, pongs[0]));
        Assert.Empty(Pass(ping, isToClient, pongs[2]));
        Assert.True(ping.IsAnswered);
        Assert.Equal(pongs[2], Pass(ping, isToClient, pongs[2]));
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void Take_AfterAClose_PassesAll(bool isToClient)
    {
        var ping = new OwnPing(isToClient);
        byte[] bytes = [.. OwnPings.Frame(0x88, [], isToClient), .. OwnPings.Answer(Ask(ping))];

        Assert.Equal(bytes, Pass(ping, isToClient, bytes));
    }

    [Theory]
    [MemberData(nameof(Sides))]
    public void Release_GivesWhatWasHeldBack(bool isToClient)
    {
        var ping = new OwnPing(isToClient);
        var pong = OwnPings.Answer(Ask(ping));
        Assert.Equal(0, ping.Take(isToClient ? FrameCursor.OfClient : FrameCursor.OfBackend, pong.AsSpan(0, 9)).Pass);

        Assert.Equal(pong[..9], ping.Release().ToArray());
        Assert.True(ping.Release().IsEmpty);
    }

    private static byte[] Ask(OwnPing ping)
    {
        var frame = new byte[OwnPing.Longest];
        return frame[..ping.Write(frame)];
    }

    // As a relay does: the cursor follows what is passed on.
    private static byte[] Pass(OwnPing ping, bool isMasked, params byte[][] pieces)
    {
        var cursor = isMasked ? FrameCursor.OfClient : FrameCursor.OfBackend;
        List<byte> passed = [];
        foreach (var piece in pieces)
        {
            for (ReadOnlySpan<byte> rest = piece; !rest.IsEmpty;)
            {
                var step = ping.Take(cursor, rest);
                var run = step.IsHeld ? ping.Held.Span : rest[..step.Pass];
                rest = rest[step.Taken..];
                passed.AddRange(run);
                cursor.Follow(run);
            }
        }

        passed.AddRange(ping.Release().Span);
        return [.. passed];
    }
}
