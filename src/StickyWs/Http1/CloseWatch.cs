using System.Buffers;

namespace StickyWs.Http1;

/// <summary>
/// Whether the last bytes of one direction of a tunnel are a WebSocket Close frame (RFC 6455 section 5.5.1). It parses no frames and looks only at
/// the end of each piece: a strong hint, not a proof. It recognizes a Close that follows other frames in one piece, and a lone Close however it is
/// split; not one that is split after other frames.
/// </summary>
internal struct CloseWatch(byte state)
{
    private const byte Close = 0x88; // FIN, no extension bits, opcode 8.
    private const int HeaderBytes = 2;
    private const int MaskBytes = 4;
    private const int MaskBit = 0x80;
    private const int LongestBody = 125;
    private const int LongestFrame = HeaderBytes + MaskBytes + LongestBody;
    private const int NotAClose = -1024;

    // Any other value: the bytes that a begun Close still lacks; 0 if none has begun.
    private const byte AwaitsLength = 254;
    private const byte Seen = 255;

    /// <summary>Its <see cref="State"/> after bytes that nobody looked at.</summary>
    public const byte AfterUnseen = 253;

    private byte _state = state;

    /// <summary>Whether the last bytes were a Close frame; <see langword="null"/> if nobody looked at them.</summary>
    public readonly bool? HasSeen => _state == AfterUnseen ? null : _state == Seen;

    /// <summary>All that it remembers; 0 at first.</summary>
    public readonly byte State => _state;

    /// <summary>What it remembers after more bytes, for a holder that keeps its <see cref="State"/>.</summary>
    public static byte After(byte state, ReadOnlySpan<byte> piece, bool isMasked)
    {
        var watch = new CloseWatch(state);
        watch.Look(piece, isMasked);
        return watch.State;
    }

    /// <inheritdoc cref="After(byte, ReadOnlySpan{byte}, bool)"/>
    public static byte After(byte state, in ReadOnlySequence<byte> piece, bool isMasked)
    {
        var watch = new CloseWatch(state);
        watch.Look(piece, isMasked);
        return watch.State;
    }

    /// <summary>Looks at the next bytes of this direction.</summary>
    /// <param name="piece">The bytes.</param>
    /// <param name="isMasked">Whether frames in this direction are masked: the client's are, the backend's are not.</param>
    public void Look(ReadOnlySpan<byte> piece, bool isMasked)
    {
        if (piece.IsEmpty) return;
        var lacking = Lacking(piece, isMasked);
        if (lacking > 0) _state = (byte)lacking;
        else _state = lacking == 0 || EndsWithClose(piece, isMasked) ? Seen : (byte)0;
    }

    /// <inheritdoc cref="Look(ReadOnlySpan{byte}, bool)"/>
    public void Look(in ReadOnlySequence<byte> piece, bool isMasked)
    {
        if (piece.IsSingleSegment)
        {
            Look(piece.FirstSpan, isMasked);
            return;
        }

        Span<byte> copy = stackalloc byte[LongestFrame];
        var tail = piece.Length > LongestFrame ? piece.Slice(piece.Length - LongestFrame) : piece;
        tail.CopyTo(copy);
        Look(copy[..(int)tail.Length], isMasked);
    }

    // The bytes that a Close, begun in this piece or an earlier one, still lacks; negative if this piece is something else, or longer.
    private readonly int Lacking(ReadOnlySpan<byte> piece, bool isMasked) => _state switch
    {
        AwaitsLength => Rest(piece[0], isMasked) + 1 - piece.Length,
        > 0 and < AfterUnseen => _state - piece.Length,
        _ when piece[0] != Close => NotAClose,
        _ when piece.Length == 1 => AwaitsLength,
        _ => Rest(piece[1], isMasked) + HeaderBytes - piece.Length,
    };

    // The length of a Close after the two bytes of its header. A body of one byte has no room for a status code.
    private static int Rest(byte length, bool isMasked)
    {
        if ((length & MaskBit) != 0 != isMasked) return NotAClose;
        var body = length & ~MaskBit;
        if (body is 1 or > LongestBody) return NotAClose;
        return isMasked ? MaskBytes + body : body;
    }

    private static bool EndsWithClose(ReadOnlySpan<byte> piece, bool isMasked)
    {
        var tail = piece.Length > LongestFrame ? piece[^LongestFrame..] : piece;
        for (var start = tail.LastIndexOf(Close); start >= 0; start = tail[..start].LastIndexOf(Close))
        {
            if (IsClose(tail[start..], isMasked)) return true;
        }

        return false;
    }

    // 0x88 may occur in any message, so the status code must be valid, too (RFC 6455 section 7.4).
    private static bool IsClose(ReadOnlySpan<byte> frame, bool isMasked)
    {
        if (frame.Length < HeaderBytes || Rest(frame[1], isMasked) != frame.Length - HeaderBytes) return false;
        var body = frame[(HeaderBytes + (isMasked ? MaskBytes : 0))..];
        if (body.IsEmpty) return true;
        var (high, low) = isMasked ? (body[0] ^ frame[2], body[1] ^ frame[3]) : (body[0], body[1]);
        return ((high << 8) | low) is >= 1000 and < 5000;
    }
}
