using System.Globalization;
using StickyWs.Frames;

namespace StickyWs.Fuzz;

/// <summary>
/// The cursor in frames: it is where a naive parser says, however the bytes are split, also when it stops at each frame's end and when it passes parts of
/// payloads unseen. What comes after a broken frame or a Close changes nothing. And Pongs of the balancer's own pings, put between any of its frames, are
/// taken out again: nothing else is, and nothing is missing.
/// </summary>
internal sealed class FramesTarget : IFuzzTarget
{
    private static readonly byte[] Key = [0x37, 0xfa, 0x21, 0x3d];

    private long _pieces;
    private long _bytes;

    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        .. Both(0x81, "hello"u8.ToArray()),
        .. Both(0x82, new byte[126]),
        .. Both(0xC1, new byte[300]),
        .. Both(0x88, []),
        .. Both(0x88, [0x03, 0xE9, .. "going away"u8]),
        .. Both(0x89, new byte[125]),
        [.. Frame(0x01, "hel"u8.ToArray(), false), .. Frame(0x8A, [1, 2], false), .. Frame(0x80, "lo"u8.ToArray(), false), .. Frame(0x88, [3, 0xE8], false)],
        [.. Frame(0x01, "hel"u8.ToArray(), true), .. Frame(0x89, [], true), .. Frame(0x80, "lo"u8.ToArray(), true), .. Frame(0x88, [3, 0xE8], true)],
        [0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 0x88, 0],
        [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9, 9, 1, 2, 3, 0x88, 0x80, 1, 2, 3, 4],
        [0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1],
        [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1],
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [0x88, 0], [0x88, 0x80], [0x88, 2, 3, 0xE9], [0x88, 0x82, 1, 2, 3, 4], [0x89, 0], [0x8A, 0x80], [0x81, 0], [0x81, 0x80], [0x00, 1], [0x80, 0x81],
        [126, 0, 126], [0xFE, 0, 126], [127, 0, 0, 0, 0, 0, 0, 0, 1], [0xFF, 0, 0, 0, 0, 0, 0, 0, 1], [0x08], [0x83], [0xF2], [1, 2, 3, 4],
    ];

    public string? Tally => string.Create(CultureInfo.InvariantCulture, $"{_pieces} pieces with {_bytes} bytes, the place compared after each piece");

    public Task<bool> CheckAsync(byte[] input, Random random)
    {
        _bytes += input.Length;
        var isMasked = random.Next(2) == 0;
        var naive = new NaiveFrames(isMasked);
        var cursor = isMasked ? FrameCursor.OfClient : FrameCursor.OfBackend;
        var start = 0;
        foreach (var cut in Splitter.Cuts(input.Length, random))
        {
            Pass(ref cursor, input.AsSpan(start, cut - start), random);
            var place = naive.Read(input, cut);
            Broken.If(!IsAt(cursor, place), $"{(isMasked ? "masked" : "bare")}, after {cut} bytes: {place}, but {Describe(cursor)}.");
            start = cut;
            _pieces++;
        }

        PongScreen.Check(input, isMasked, random);
        return Task.FromResult(!cursor.IsLost);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // By one of the three ways that relays use.
    private static void Pass(ref FrameCursor cursor, ReadOnlySpan<byte> piece, Random random)
    {
        switch (random.Next(3))
        {
            case 0:
                cursor.Follow(piece);
                break;
            case 1:
                while (!piece.IsEmpty)
                {
                    var count = cursor.FollowFrame(piece);
                    Broken.If(count < 1 || count > piece.Length, $"{count} of {piece.Length} bytes were followed.");
                    Broken.If(count < piece.Length && cursor is { IsBetweenFrames: false, HasClosed: false, IsLost: false }, "It stopped within a frame.");
                    piece = piece[count..];
                }

                break;
            default:
                var unseen = Math.Min(cursor.Unseen, piece.Length);
                if (unseen > 0) cursor.Skip(unseen);
                cursor.Follow(piece[unseen..]);
                break;
        }
    }

    private static bool IsAt(in FrameCursor cursor, NaivePlace place)
    {
        if (cursor.IsLost != place.IsLost || cursor.HasClosed != place.HasClosed || cursor.CloseCode != place.Code) return false;
        if (place.IsLost || place.HasClosed) return cursor.Unseen == int.MaxValue && !cursor.IsBetweenFrames;
        return cursor.IsBetweenFrames == place.Left.IsZero;
    }

    private static string Describe(in FrameCursor cursor)
        => $"lost: {cursor.IsLost}, closed: {cursor.HasClosed}, code: {cursor.CloseCode}, between frames: {cursor.IsBetweenFrames}, unseen: {cursor.Unseen}";

    private static byte[][] Both(byte first, byte[] payload) => [Frame(first, payload, false), Frame(first, payload, true)];

    private static byte[] Frame(byte first, byte[] payload, bool isMasked)
    {
        var bit = isMasked ? 0x80 : 0;
        byte[] length = payload.Length < 126 ? [(byte)(bit | payload.Length)] : [(byte)(bit | 126), (byte)(payload.Length >> 8), (byte)payload.Length];
        return isMasked ? [first, .. length, .. Key, .. payload.Select((one, i) => (byte)(one ^ Key[i % 4]))] : [first, .. length, .. payload];
    }
}
