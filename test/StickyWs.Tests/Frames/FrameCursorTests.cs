using System.Buffers;
using System.Runtime.CompilerServices;
using StickyWs.Frames;
using StickyWs.Fuzz;
using StickyWs.Tests.Detection;

namespace StickyWs.Tests.Frames;

public sealed class FrameCursorTests
{
    private static readonly byte[] Key = [0x37, 0xfa, 0x21, 0x3d];

    public static TheoryData<bool> BothDirections { get; } = new(true, false);

    [Fact]
    public void Cursor_TakesAtMostFourteenBytes() => Assert.InRange(Unsafe.SizeOf<FrameCursor>(), 1, 14);

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Follow_RandomStreamsCutAtRandomPlaces_IsWhereANaiveParserIs(bool isMasked)
    {
        var random = new Random(isMasked ? 1 : 2);
        for (var round = 0; round < 2_000; round++)
        {
            var stream = Stream(random, isMasked);
            var naive = new NaiveFrames(isMasked);
            var cursor = Start(isMasked);
            for (var at = 0; at < stream.Length;)
            {
                var count = Math.Min(1 + random.Next(random.Next(2) == 0 ? 4 : 400), stream.Length - at);
                cursor.Follow(stream.AsSpan(at, count));
                at += count;
                AssertIsAt(naive.Read(stream, at), cursor, at);
            }
        }
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Follow_EveryLengthForm_EndsWithTheFrame(bool isMasked)
    {
        foreach (var length in new[] { 0, 1, 125, 126, 127, 255, 65_535, 65_536, 70_000 })
        {
            var cursor = Start(isMasked);
            var frame = Frame(0x82, new byte[length], isMasked);
            cursor.Follow(frame.AsSpan(..^1));
            Assert.False(cursor.IsBetweenFrames, $"{length} bytes but one");
            cursor.Follow(frame.AsSpan(^1..));
            Assert.True(cursor.IsBetweenFrames, $"{length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void Follow_ALengthThatIsLongerThanItNeedsToBe_IsTakenAsItIs(bool isMasked)
    {
        byte[] mask = isMasked ? Key : [];
        var bit = isMasked ? 0x80 : 0;
        byte[] frame = [0x82, (byte)(bit | 127), 0, 0, 0, 0, 0, 0, 0, 2, .. mask, 1, 2];

        var cursor = Start(isMasked);
        cursor.Follow(frame);

        Assert.True(cursor.IsBetweenFrames);
    }

    [Theory]
    [InlineData(true, new byte[] { 0x83, 0x80 })] // Reserved opcodes.
    [InlineData(true, new byte[] { 0x8F, 0x80 })]
    [InlineData(false, new byte[] { 0x03, 0x00 })]
    [InlineData(true, new byte[] { 0x81, 0x01 })] // A client's frame without a mask.
    [InlineData(false, new byte[] { 0x81, 0x81 })] // A backend's with one.
    [InlineData(true, new byte[] { 0x09, 0x80 })] // Control frames that are fragmented, or too long.
    [InlineData(false, new byte[] { 0x08, 0x00 })]
    [InlineData(true, new byte[] { 0x89, 0xFE })]
    [InlineData(false, new byte[] { 0x88, 127 })]
    [InlineData(false, new byte[] { 0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0 })] // 2^63.
    [InlineData(true, new byte[] { 0x82, 255, 0xFF, 255, 255, 255, 255, 255, 255, 255 })]
    public void Follow_BrokenFraming_LosesIt(bool isMasked, byte[] header)
    {
        for (var cut = 0; cut <= header.Length; cut++)
        {
            var cursor = Start(isMasked);
            cursor.Follow(Frame(0x81, "before"u8.ToArray(), isMasked));
            cursor.Follow(header.AsSpan(..cut));
            cursor.Follow(header.AsSpan(cut..));
            Assert.True(cursor.IsLost, $"cut at {cut}");
            cursor.Follow(Frame(0x88, [3, 0xE8], isMasked));
            Assert.True(cursor.IsLost);
            Assert.Null(cursor.HasSaidClose);
            Assert.Equal(int.MaxValue, cursor.Unseen);
        }
    }

    [Theory]
    [InlineData(0xF1)]
    [InlineData(0xC2)]
    [InlineData(0xD9)]
    public void Follow_RsvBits_BelongToExtensions(byte first)
    {
        var cursor = FrameCursor.OfBackend;
        cursor.Follow([first, 2, 1, 2]);
        Assert.True(cursor.IsBetweenFrames);
    }

    [Fact]
    public void Follow_AFrameThatNeverEnds_StaysWithinIt()
    {
        var cursor = FrameCursor.OfBackend;
        cursor.Follow([0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]);
        for (var i = 0; i < 1000; i++)
        {
            cursor.Follow(new byte[1000]);
            Assert.Equal(int.MaxValue - 1, cursor.Unseen);
            cursor.Skip(int.MaxValue - 1);
        }

        Assert.False(cursor.IsBetweenFrames);
        Assert.False(cursor.IsLost);
    }

    [Theory]
    [MemberData(nameof(BothDirections))]
    public void FollowFrame_SeveralFrames_StopsAfterEach(bool isMasked)
    {
        byte[][] frames = [Frame(1, [1, 2, 3], isMasked), Frame(0x89, [], isMasked), Frame(0x80, new byte[300], isMasked), Frame(0x88, [], isMasked)];
        ReadOnlySpan<byte> stream = [.. frames.SelectMany(frame => frame), 1, 2, 3];
        var cursor = Start(isMasked);
        foreach (var frame in frames)
        {
            Assert.Equal(frame.Length, cursor.FollowFrame(stream));
            stream = stream[frame.Length..];
        }

        Assert.True(cursor.HasClosed);
        Assert.Equal(3, cursor.FollowFrame(stream));
    }

    [Theory]
    [InlineData(true, new byte[] { 3, 0xE9 }, 1001)]
    [InlineData(false, new byte[] { 3, 0xF4, 1, 2, 3 }, 1012)]
    [InlineData(true, new byte[] { 15, 160, 9 }, 4000)]
    [InlineData(true, new byte[0], FrameCursor.NoCode)]
    [InlineData(false, new byte[0], FrameCursor.NoCode)]
    [InlineData(false, new byte[] { 3 }, FrameCursor.NoCode)]
    public void CloseCode_HoweverItIsCut_IsThatOfTheFrame(bool isMasked, byte[] body, int code)
    {
        var close = Frame(0x88, body, isMasked);
        for (var cut = 0; cut < close.Length; cut++)
        {
            var cursor = Start(isMasked);
            cursor.Follow(close.AsSpan(..cut));
            Assert.False(cursor.HasClosed);
            Assert.Equal(0, cursor.CloseCode);
            cursor.Follow(close.AsSpan(cut..));
            Assert.True(cursor.HasClosed);
            cursor.Follow([0xFF, 0xFF, 0xFF]);
            Assert.Equal(code, cursor.CloseCode);
            Assert.True(cursor.HasSaidClose);
        }
    }

    [Fact]
    public void Skip_MoreThanThePayload_LosesIt()
    {
        var cursor = FrameCursor.OfBackend;
        cursor.Follow([0x82, 5, 1]);
        Assert.Equal(4, cursor.Unseen);
        cursor.Skip(5);
        Assert.True(cursor.IsLost);
    }

    [Fact]
    public void Follow_ASequence_IsAsItsBytes()
    {
        var close = Frame(0x88, [3, 0xE9, 1], isMasked: true);
        var cursor = FrameCursor.OfClient;
        cursor.Follow(Pieces.Of(close, Enumerable.Range(1, close.Length - 1)));
        Assert.Equal(1001, cursor.CloseCode);
    }

    [Fact]
    public void None_HasNoFrames()
    {
        var cursor = FrameCursor.None;
        cursor.Follow([0x88, 0]);
        cursor.Skip(7);
        Assert.True(cursor is { IsLost: true, HasClosed: false, IsBetweenFrames: false, HasSaidClose: null });
    }

    private static FrameCursor Start(bool isMasked) => isMasked ? FrameCursor.OfClient : FrameCursor.OfBackend;

    private static void AssertIsAt(NaivePlace place, in FrameCursor cursor, int at)
    {
        Assert.True((place.IsLost, place.HasClosed, place.Code) == (cursor.IsLost, cursor.HasClosed, cursor.CloseCode), $"{place} after {at}");
        if (!place.IsLost && !place.HasClosed) Assert.True(cursor.IsBetweenFrames == place.Left.IsZero, $"{place} after {at}");
        if (place is { IsLost: false, HasClosed: false } && place.Left > 0 && cursor.Unseen > 0) Assert.Equal(place.Left, cursor.Unseen);
    }

    // Mostly valid; now and then a byte is another.
    private static byte[] Stream(Random random, bool isMasked)
    {
        var stream = new ArrayBufferWriter<byte>();
        for (var frames = random.Next(1, 12); frames > 0; frames--)
        {
            byte[] first = [0x01, 0x02, 0x00, 0x80, 0x81, 0x82, 0xC1, 0x89, 0x8A, 0x88];
            var next = first[random.Next(random.Next(4) == 0 ? 10 : 9)];
            var longest = (next & 8) != 0 ? 126 : random.Next(3) == 0 ? 1_000 : 130;
            stream.Write(Frame(next, RandomBytes(random, random.Next(longest)), isMasked));
        }

        var bytes = stream.WrittenSpan.ToArray();
        if (random.Next(3) == 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Frame(byte first, byte[] payload, bool isMasked)
    {
        var bit = isMasked ? 0x80 : 0;
        byte[] length = payload.Length switch
        {
            < 126 => [(byte)(bit | payload.Length)],
            < 65_536 => [(byte)(bit | 126), (byte)(payload.Length >> 8), (byte)payload.Length],
            _ => [(byte)(bit | 127), 0, 0, 0, 0, (byte)(payload.Length >> 24), (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length],
        };
        return isMasked ? [first, .. length, .. Key, .. payload.Select((one, i) => (byte)(one ^ Key[i % 4]))] : [first, .. length, .. payload];
    }
}
