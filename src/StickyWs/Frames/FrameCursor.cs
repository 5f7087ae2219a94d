using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyWs.Frames;

/// <summary>
/// Where one direction of a WebSocket is in its frames (RFC 6455 section 5.2). It reads headers and the status code of the Close, never a message. A
/// stream that breaks the framing loses its cursor for good. RSV bits and the order of fragments belong to extensions and messages, and are not judged.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct FrameCursor
{
    /// <summary>The <see cref="CloseCode"/> of a Close without a status code (RFC 6455 section 7.1.5).</summary>
    public const ushort NoCode = 1005;

    private const int OpcodeBits = 0x0F;
    private const int KnownOpcodes = 0x0707; // Bit by opcode: 0 to 2, and 8 to 10.
    private const int ControlBit = 0x08;
    private const int Close = 0x08;
    private const int Ping = 0x09;
    private const int FinBit = 0x80;
    private const int MaskBit = 0x80;
    private const int MaskBytes = 4;
    private const int LongestControl = 125;
    private const int Length16 = 126;
    private const int Length64 = 127;
    private const int CodeBytes = 2;

    // Bit by opcode, and FIN as its fifth bit: 0 to 2 with and without it, 9 and 10 with it. A Close is looked at more closely.
    private const uint UsualFrames = 0x0607_0007;
    private const int UsualPing = 0x10 | Ping;

    // Of _state; any other value: the bytes that the header still lacks after its second.
    private const byte Following = 0; // In a payload, or, when nothing is left of it, between two frames.
    private const byte InClose = 252;
    private const byte Closed = 253;
    private const byte Lost = 254;
    private const byte AwaitsLength = 255;

    // Of _flags; two bits count the bytes of the code that were read.
    private const byte IsMasked = 1 << 0;
    private const byte IsClose = 1 << 1;
    private const byte OneCodeByte = 1 << 2;
    private const int CountBits = 3;
    private const byte HasPinged = 1 << 4;

    // Of the payload; while its length is read, what is known of it; before that the header's first byte.
    private ulong _left;
    private ushort _code;
    private byte _flags;
    private byte _state;

    private FrameCursor(byte flags, byte state) => (_flags, _state) = (flags, state);

    /// <summary>A client's first byte is next: its frames are masked.</summary>
    public static FrameCursor OfClient => new(IsMasked, Following);

    /// <summary>A backend's first byte is next: its frames are not masked.</summary>
    public static FrameCursor OfBackend => new(0, Following);

    /// <summary>Bytes that have no frames.</summary>
    public static FrameCursor None => new(0, Lost);

    /// <summary>Whether it is unknown where frames begin.</summary>
    public readonly bool IsLost => _state == Lost;

    /// <summary>Whether another frame may be put in here.</summary>
    public readonly bool IsBetweenFrames => _state == Following && _left == 0;

    /// <summary>Whether a whole Close frame has passed, after which nothing counts (RFC 6455 section 5.5.1).</summary>
    public readonly bool HasClosed => _state == Closed;

    /// <summary>The same, or <see langword="null"/> if that is unknown.</summary>
    public readonly bool? HasSaidClose => IsLost ? null : HasClosed;

    /// <summary>The status code of the Close; <see cref="NoCode"/> if it had none, 0 before it.</summary>
    public readonly ushort CloseCode => HasClosed ? _code : (ushort)0;

    /// <summary>Whether a Ping frame has begun to pass since this was last asked.</summary>
    public bool TakePing()
    {
        var hasPinged = (_flags & HasPinged) != 0;
        if (hasPinged) _flags &= unchecked((byte)~HasPinged);
        return hasPinged;
    }

    /// <summary>How many bytes may pass unseen (<see cref="Skip"/>); <see cref="int.MaxValue"/> for any number.</summary>
    public readonly int Unseen => _state switch
    {
        Following => (int)Math.Min(_left, int.MaxValue - 1),
        Lost or Closed => int.MaxValue,
        _ => 0,
    };

    /// <summary>Follows the next bytes.</summary>
    public void Follow(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            if (_state == Following)
            {
                if ((ulong)bytes.Length < _left)
                {
                    _left -= (ulong)bytes.Length;
                    return;
                }

                bytes = bytes[FollowUsual(bytes)..];
            }

            if (bytes.IsEmpty) return;
            bytes = bytes[FollowFrame(bytes)..];
        }
    }

    /// <inheritdoc cref="Follow(ReadOnlySpan{byte})"/>
    public void Follow(in ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes) Follow(segment.Span);
    }

    /// <summary>Follows bytes up to the end of the frame that they are in, or that begins with them.</summary>
    /// <param name="bytes">At least one.</param>
    /// <returns>How many were followed: all, unless the frame ends before.</returns>
    public int FollowFrame(ReadOnlySpan<byte> bytes)
    {
        var read = 0;
        if (IsBetweenFrames && (read = ReadWholeHeader(bytes)) == 0) TakeFirst(bytes[read++]);
        while (_state is AwaitsLength or (> Following and < InClose))
        {
            if (read == bytes.Length) return read;
            TakeHeader(bytes[read++]);
        }

        if (_state is Lost or Closed) return _state == Lost || read == 0 ? bytes.Length : read;
        var count = (int)Math.Min((ulong)(bytes.Length - read), _left);
        if (_state == InClose) TakeCode(bytes.Slice(read, count));
        _left -= (ulong)count;
        if (_state == InClose && _left == 0) EndClose();
        return read + count;
    }

    /// <summary>Passes bytes of a payload, or of anything that has no frames.</summary>
    /// <param name="count">At most <see cref="Unseen"/>.</param>
    public void Skip(long count)
    {
        if (_state is Lost or Closed) return;
        if (_state == Following && (ulong)count <= _left) _left -= (ulong)count;
        else _state = Lost;
    }

    // The rest of a payload and the frames after it, up to one whose header is not whole, not valid, or not of the usual kind. Floods of small frames come
    // this way: one whose first two bytes are those of the frame before costs a comparison and an addition. Returns how many bytes were followed.
    private int FollowUsual(ReadOnlySpan<byte> bytes)
    {
        ref var start = ref MemoryMarshal.GetReference(bytes);
        var mask = MaskLength;
        var (at, seen, known, size) = ((int)_left, 0u, -1, 0);
        _left = 0;
        while (at <= bytes.Length - 2 - mask)
        {
            var head = (int)Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, at)); // In the order of the machine: compared only.
            if (head != known)
            {
                var first = Unsafe.Add(ref start, at);
                var length = Unsafe.Add(ref start, at + 1) ^ (mask * (MaskBit / MaskBytes)); // 128 and more: the wrong one of masked and not.
                var kind = ((first >> 3) & 0x10) | (first & OpcodeBits);
                if (((UsualFrames >> kind) & 1) == 0 || length > Length16) break;
                (known, size) = (head, 2 + mask + length);
                if (length == Length16)
                {
                    if ((first & ControlBit) != 0 || at > bytes.Length - 4 - mask) break;
                    (known, size) = (-1, 4 + mask + BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]));
                }

                seen |= 1u << kind;
            }

            at += size;
        }

        if ((seen & (1u << UsualPing)) != 0) _flags |= HasPinged;
        if (at <= bytes.Length) return at;
        _left = (ulong)(at - bytes.Length);
        return bytes.Length;
    }

    // The same for one frame. Returns the header's length; 0 if it is not whole, or not valid.
    private int ReadWholeHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2 || !IsValid(bytes[0], bytes[1])) return 0;
        var length = (ulong)(bytes[1] & ~MaskBit);
        var end = 2;
        if (length == Length16)
        {
            if (bytes.Length < 4) return 0;
            (length, end) = (BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 4);
        }
        else if (length == Length64)
        {
            if (bytes.Length < 10) return 0;
            (length, end) = (BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]), 10);
            if (length > long.MaxValue) return 0;
        }

        var opcode = bytes[0] & OpcodeBits;
        if (opcode == Close) return 0; // Once in a tunnel: byte by byte.
        end += MaskLength;
        if (bytes.Length < end) return 0;
        if (opcode == Ping) _flags |= HasPinged;
        _left = length;
        return end;
    }

    private readonly int MaskLength => (_flags & IsMasked) != 0 ? MaskBytes : 0;

    private readonly int CodeBytesRead => (_flags / OneCodeByte) & CountBits;

    private readonly bool IsValid(byte first, byte second)
    {
        if (((KnownOpcodes >> (first & OpcodeBits)) & 1) == 0) return false;
        if ((second & MaskBit) != 0 != ((_flags & IsMasked) != 0)) return false;
        return (first & ControlBit) == 0 || ((first & FinBit) != 0 && (second & ~MaskBit) <= LongestControl);
    }

    private void TakeFirst(byte first) => (_left, _state) = (first, AwaitsLength);

    private void TakeHeader(byte next)
    {
        var mask = MaskLength;
        if (_state == AwaitsLength)
        {
            TakeSecond((byte)_left, next, mask);
        }
        else if (_state > mask)
        {
            _left = (_left << 8) | next;
            if (_state == mask + sizeof(ulong) && next >= 0x80) _state = Lost; // 2^63 and more (RFC 6455 section 5.2).
            else _state--;
        }
        else
        {
            // The code is masked with the first bytes of the key.
            if ((_flags & IsClose) != 0 && mask - _state < CodeBytes) _code = (ushort)((_code << 8) | next);
            _state--;
        }

        if (_state == Following && (_flags & IsClose) != 0) BeginClose();
    }

    private void TakeSecond(byte first, byte second, int mask)
    {
        if (!IsValid(first, second))
        {
            _state = Lost;
            return;
        }

        var length = second & ~MaskBit;
        if ((first & OpcodeBits) == Close) _flags |= IsClose;
        else if ((first & OpcodeBits) == Ping) _flags |= HasPinged;
        _left = length < Length16 ? (ulong)length : 0;
        _state = (byte)(mask + length switch
        {
            Length16 => sizeof(ushort),
            Length64 => sizeof(ulong),
            _ => 0,
        });
    }

    private void BeginClose()
    {
        _state = InClose;
        if (_left == 0) EndClose();
    }

    private void TakeCode(ReadOnlySpan<byte> payload)
    {
        foreach (var next in payload)
        {
            var read = CodeBytesRead;
            if (read == CodeBytes) return;
            _code ^= read == 0 ? (ushort)(next << 8) : next;
            _flags += OneCodeByte;
        }
    }

    private void EndClose()
    {
        if (CodeBytesRead < CodeBytes) _code = NoCode;
        _state = Closed;
    }
}
