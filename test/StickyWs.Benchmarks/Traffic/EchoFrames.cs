namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// Makes a server's frames of a client's (<see cref="WebSocketFrame"/>) in place, at no cost per byte: the mask bit goes, and the mask counts as payload. So
/// an echo is as long as what it answers, and a balancer that follows frames finds the right ones in both directions.
/// </summary>
internal sealed class EchoFrames
{
    private const int Mask = 4;
    private const int ShortHeader = 4;
    private const int LongHeader = 10;

    private int _place;
    private bool _isLong;
    private long _length;
    private long _left;

    /// <summary>The same for a whole frame.</summary>
    public static byte[] Of(byte[] frame)
    {
        byte[] echo = [.. frame];
        new EchoFrames().Turn(echo);
        return echo;
    }

    /// <summary>Turns the next bytes, wherever they are cut.</summary>
    public void Turn(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_left > 0)
            {
                var passed = (int)Math.Min(_left, bytes.Length);
                _left -= passed;
                if (_left == 0) _place = 0;
                bytes = bytes[passed..];
                continue;
            }

            TurnHeader(ref bytes[0]);
            bytes = bytes[1..];
        }
    }

    private void TurnHeader(ref byte next)
    {
        var last = (_isLong ? LongHeader : ShortHeader) - 1;
        if (_place == 1)
        {
            _isLong = next == (0x80 | 127);
            next &= 0x7F;
        }
        else if (_place > 1)
        {
            _length = (_length << 8) | next;
            if (_place == last) next = checked((byte)(next + Mask));
        }

        if (_place++ > 1 && _place > last) (_left, _length) = (_length + Mask, 0);
    }
}
