using System.Numerics;

namespace StickyWs.Fuzz;

/// <summary>
/// WebSocket frames as RFC 6455 section 5.2 draws them, read from the beginning with all bytes at hand, however slow that is. It shares no code with
/// what it judges.
/// </summary>
/// <param name="isMasked">Whether the frames are a client's.</param>
public sealed class NaiveFrames(bool isMasked)
{
    /// <summary>Where the first <paramref name="length"/> bytes end.</summary>
    public NaivePlace Read(byte[] bytes, int length)
    {
        var at = 0;
        while (at < length)
        {
            var bits = string.Concat(bytes.Skip(at).Take(Math.Min(2, length - at)).Select(one => Convert.ToString(one, 2).PadLeft(8, '0')));
            if (bits.Length < 16) return Half();
            var isFinal = bits[0] == '1';
            var opcode = bits[4..8];
            if ("0000 0001 0010 1000 1001 1010".Split(' ').All(known => known != opcode)) return Lost(length);
            if (bits[8] == '1' != isMasked) return Lost(length);
            var size = new BigInteger(Convert.ToInt32(bits[9..], 2));
            if (opcode[0] == '1' && (!isFinal || size > 125)) return Lost(length);
            var next = at + 2;
            var extended = size == 126 ? 2 : size == 127 ? 8 : 0;
            if (extended > 0)
            {
                if (next < length && extended == 8 && bytes[next] > 127) return Lost(length);
                if (next + extended > length) return Half();
                size = bytes.Skip(next).Take(extended).Aggregate(BigInteger.Zero, (sum, one) => (sum * 256) + one);
                next += extended;
            }

            var key = isMasked ? bytes.Skip(next).Take(4).ToArray() : new byte[4];
            if (isMasked) next += 4;
            if (next > length) return Half();
            if (next + size > length) return new NaivePlace(false, false, 0, next + size - length);
            if (opcode == "1000")
            {
                var code = size < 2 ? 1005 : ((bytes[next] ^ key[0]) * 256) + (bytes[next + 1] ^ key[1]);
                return new NaivePlace(false, true, code, 0);
            }

            at = next + (int)size;
        }

        return new NaivePlace(false, false, 0, 0);

        static NaivePlace Half() => new(false, false, 0, -1);
        static NaivePlace Lost(int length) => new(length > 0, false, 0, 0);
    }
}

/// <summary>A place in a stream of frames.</summary>
/// <param name="IsLost">Whether the framing is broken before it.</param>
/// <param name="HasClosed">Whether a Close frame has passed.</param>
/// <param name="Code">The code of that.</param>
/// <param name="Left">The bytes that the payload lacks; 0 between two frames, -1 within a header.</param>
public sealed record NaivePlace(bool IsLost, bool HasClosed, int Code, BigInteger Left);
