using System.Buffers;

namespace StickyWs.Http1;

/// <summary>Removes an HTTP/1 body's framing (RFC 9112 sections 6.2 and 7.1). Bytes after the body are ignored.</summary>
internal sealed class BodyDecoder(BodyFraming framing, long contentLength)
{
    /// <summary>The longest line of the framing, in bytes with its line end.</summary>
    public const int MaxChunkLine = 256;

    private State _state = framing switch
    {
        BodyFraming.Chunked => State.Size,
        BodyFraming.UntilClose => State.Open,
        _ => State.Data,
    };

    private long _left = framing == BodyFraming.Length ? contentLength : 0;
    private int _lineLength;
    private byte _last;

    private enum State
    {
        Data,
        Open,
        Size,
        Extension,
        DataEnd,
        Trailer,
        Complete,
    }

    /// <summary>Whether the whole body was seen; never for one that ends with the connection.</summary>
    public bool IsComplete => _state == State.Complete;

    /// <exception cref="IOException">The chunked coding is malformed.</exception>
    public void Decode(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        while (!bytes.IsEmpty && !IsComplete)
        {
            if (_state == State.Open)
            {
                output.Write(bytes);
                return;
            }

            bytes = _state == State.Data ? TakeData(bytes, output) : TakeFraming(bytes);
        }
    }

    private ReadOnlySpan<byte> TakeData(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        var length = (int)Math.Min(_left, bytes.Length);
        output.Write(bytes[..length]);
        _left -= length;
        if (_left == 0) _state = framing == BodyFraming.Length ? State.Complete : State.DataEnd;
        return bytes[length..];
    }

    private ReadOnlySpan<byte> TakeFraming(ReadOnlySpan<byte> bytes)
    {
        var current = bytes[0];
        var isLineEnd = current == (byte)'\n';
        if (isLineEnd != (_last == (byte)'\r') || ++_lineLength > MaxChunkLine) throw Malformed();
        switch (_state)
        {
            case State.DataEnd when isLineEnd:
                NextLine(State.Size);
                break;
            case State.DataEnd when current == (byte)'\r' && _lineLength == 1:
                break;
            case State.Size or State.Extension when isLineEnd:
                if (_lineLength <= 2) throw Malformed();
                NextLine(_left > 0 ? State.Data : State.Trailer);
                break;
            case State.Size:
                TakeSize(current);
                break;
            case State.Extension:
                break;
            case State.Trailer:
                if (isLineEnd) NextLine(_lineLength == 2 ? State.Complete : State.Trailer);
                break;
            default:
                throw Malformed();
        }

        _last = current;
        return bytes[1..];
    }

    private void TakeSize(byte current)
    {
        if (Uri.IsHexDigit((char)current))
        {
            if (_left > long.MaxValue >> 4) throw Malformed();
            _left = (_left << 4) + Convert.ToInt32(((char)current).ToString(), 16);
        }
        else if (_lineLength == 1 || current is not ((byte)'\r' or (byte)';'))
        {
            throw Malformed();
        }
        else if (current == (byte)';')
        {
            _state = State.Extension;
        }
    }

    private void NextLine(State next)
    {
        _state = next;
        _lineLength = 0;
    }

    private static IOException Malformed() => new("The chunked body of the backend's response is malformed.");
}
