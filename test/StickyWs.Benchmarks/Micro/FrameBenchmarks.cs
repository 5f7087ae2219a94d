using BenchmarkDotNet.Attributes;
using StickyWs.Frames;

namespace StickyWs.Benchmarks.Micro;

/// <summary>
/// What it costs to follow the frames of one received piece of 16 KiB, beside a copy of it, which every receive and every send makes. A client may send
/// whatever it likes: no stream may cost much more than another.
/// </summary>
public class FrameBenchmarks
{
    private const int PieceBytes = 16 * 1024;

    private readonly byte[] _pings = Piece(0x89, 0);
    private readonly byte[] _mixed = Mixed();
    private readonly byte[] _chats = Piece(0x81, 64);
    private readonly byte[] _medium = Piece(0x82, 1000);
    private readonly byte[] _copy = new byte[PieceBytes];
    private FrameCursor _within = FrameCursor.OfClient;

    [GlobalSetup]
    public void Check()
    {
        _within.Follow([0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4]);
        if (_within.IsLost || !Pings() || !MixedFrames() || !Chats() || !Medium())
            throw new InvalidOperationException("A stream is not what it is meant to be.");
    }

    [Benchmark(Baseline = true)]
    public void Copy() => _pings.CopyTo(_copy, 0);

    /// <summary>Inside one payload.</summary>
    [Benchmark]
    public void WithinAPayload() => _within.Follow(_pings);

    /// <summary>2,730 empty pings: the flood that costs most.</summary>
    [Benchmark]
    public bool Pings() => Follow(_pings);

    /// <summary>1,638 frames of several kinds and lengths, none like the one before.</summary>
    [Benchmark]
    public bool MixedFrames() => Follow(_mixed);

    /// <summary>234 messages of 64 bytes.</summary>
    [Benchmark]
    public bool Chats() => Follow(_chats);

    /// <summary>16 messages of 1,000 bytes.</summary>
    [Benchmark]
    public bool Medium() => Follow(_medium);

    private static bool Follow(byte[] piece)
    {
        var cursor = FrameCursor.OfClient;
        cursor.Follow(piece);
        return !cursor.IsLost;
    }

    private static byte[] Piece(byte first, int length)
        => [.. Enumerable.Repeat(Frame(first, length), (PieceBytes / (length + 6)) + 1).SelectMany(frame => frame).Take(PieceBytes)];

    private static byte[] Mixed()
    {
        var random = new Random(1);
        byte[] kinds = [0x81, 0x82, 0x02, 0x00, 0x80, 0x89, 0x8A];
        return [.. Enumerable.Range(0, PieceBytes / 6).SelectMany(_ => Frame(kinds[random.Next(kinds.Length)], random.Next(9))).Take(PieceBytes)];
    }

    private static byte[] Frame(byte first, int length)
    {
        byte[] head = length < 126 ? [first, (byte)(0x80 | length)] : [first, 0xFE, (byte)(length >> 8), (byte)length];
        return [.. head, 1, 2, 3, 4, .. new byte[length]];
    }
}
