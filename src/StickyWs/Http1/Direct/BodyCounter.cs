using System.Buffers;
using System.Runtime.CompilerServices;

namespace StickyWs.Http1;

/// <summary>
/// Counts a body through that passes as it is: which bytes belong to it, and whether everybody would say so. It holds no data, and allocates nothing.
/// </summary>
internal struct BodyCounter
{
    // As Kestrel reads them: "7FFFFFFF" at most.
    private const int MostRequestDigits = 8;
    private const int MostAnswerDigits = 15;

    // A shorter one is over before bulk pays: it comes in few pieces, and the ring sends them together.
    private const int LongBody = 128 * 1024;

    private static readonly SearchValues<byte> Ascii = SearchValues.Create([(byte)'\t', .. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (byte)c)]);

    private long _left;
    private int _lineLength;
    private int _trailerBytesLeft;
    private int _trailersLeft;
    private State _state;
    private BodyFault _fault;
    private bool _isChunked;
    private bool _isAnswer;
    private NameStart _name;

    private enum State : byte
    {
        Done,
        Data,
        Open,
        Size,
        Extension,
        SizeEnd,
        DataCr,
        DataLf,
        TrailerStart,
        TrailerName,
        TrailerValue,
        TrailerEnd,
        LastLf,
    }

    /// <summary>Whether the whole body was taken; never for one that ends with the connection.</summary>
    public readonly bool IsDone => _state == State.Done && _fault == BodyFault.None;

    /// <summary>Whether only the end of the connection ends the body.</summary>
    public readonly bool IsOpen => _state == State.Open;

    /// <summary>Whether so much is to come that it is better received in bulk, or nobody knows.</summary>
    public readonly bool IsLong => _left >= LongBody || _state == State.Open || (_isChunked && _state != State.Done);

    /// <param name="request">The request whose body it is.</param>
    /// <param name="limits">The caps of a head; trailers may use what the head has left of them, as with Kestrel.</param>
    public static BodyCounter Of(in DirectRequest request, HeadLimits limits)
        => Of(request.Framing, request.ContentLength) with
        {
            _trailerBytesLeft = limits.MaxHeadBytes - request.HeadLength,
            _trailersLeft = limits.MaxHeaders - request.HeaderCount,
        };

    /// <param name="answer">The answer whose body it is.</param>
    /// <param name="mostBytes">The longest head; trailers may use what the head has left of it.</param>
    public static BodyCounter Of(in DirectAnswer answer, int mostBytes)
        => Of(answer.Framing, answer.ContentLength) with
        {
            _trailerBytesLeft = mostBytes - answer.HeadLength,
            _trailersLeft = int.MaxValue,
            _isAnswer = true,
        };

    /// <summary>Says how many of these bytes belong to the body; what is behind its end does not.</summary>
    /// <param name="bytes">What follows the bytes that were taken before.</param>
    /// <param name="fault">Why the byte behind those that were taken cannot be there. There is no going on then.</param>
    public int Take(ReadOnlySpan<byte> bytes, out BodyFault fault)
    {
        if (_state == State.Open)
        {
            fault = BodyFault.None;
            return bytes.Length;
        }

        var taken = 0;
        while (taken < bytes.Length && _state != State.Done && _fault == BodyFault.None)
        {
            if (_state == State.Data) taken += TakeData(bytes.Length - taken);
            else if ((_fault = TakeFraming(bytes[taken])) == BodyFault.None) taken++;
        }

        fault = _fault;
        return taken;
    }

    private static BodyCounter Of(BodyFraming framing, long length) => framing switch
    {
        BodyFraming.Chunked => new BodyCounter { _state = State.Size, _isChunked = true },
        BodyFraming.Length when length > 0 => new BodyCounter { _state = State.Data, _left = length },
        BodyFraming.UntilClose => new BodyCounter { _state = State.Open },
        _ => default,
    };

    private int TakeData(int available)
    {
        var length = (int)Math.Min(_left, available);
        _left -= length;
        if (_left == 0) _state = _isChunked ? State.DataCr : State.Done;
        return length;
    }

    private BodyFault TakeFraming(byte current)
    {
        switch (_state)
        {
            case State.Size: return TakeSize(current);
            case State.Extension: return TakeExtension(current);
            case State.SizeEnd: return Expect(current, '\n', _left > 0 ? State.Data : State.TrailerStart);
            case State.DataCr: return Expect(current, '\r', State.DataLf);
            case State.DataLf:
                _lineLength = 0;
                return Expect(current, '\n', State.Size);
            default: return --_trailerBytesLeft < 0 ? BodyFault.TrailersTooLong : TakeTrailer(current);
        }
    }

    private BodyFault Expect(byte current, char expected, State next)
    {
        _state = next;
        return current == expected ? BodyFault.None : BodyFault.ChunkEnd;
    }

    private BodyFault TakeSize(byte current)
    {
        if (char.IsAsciiHexDigit((char)current))
        {
            if (++_lineLength > (_isAnswer ? MostAnswerDigits : MostRequestDigits)) return BodyFault.ChunkSize;
            _left = (_left << 4) | (uint)HexValue(current);
            return !_isAnswer && _left > int.MaxValue ? BodyFault.ChunkSize : BodyFault.None;
        }

        if (_lineLength == 0 || current is not ((byte)'\r' or (byte)';')) return BodyFault.ChunkSize;
        _state = current == '\r' ? State.SizeEnd : State.Extension;
        _lineLength++;
        return BodyFault.None;
    }

    private BodyFault TakeExtension(byte current)
    {
        if (current == '\r') _state = State.SizeEnd;
        else if (++_lineLength > BodyDecoder.MaxChunkLine - 2 || !Ascii.Contains(current)) return BodyFault.ChunkExtension;
        return BodyFault.None;
    }

    private BodyFault TakeTrailer(byte current)
    {
        switch (_state)
        {
            case State.TrailerStart when current == '\r':
                _state = State.LastLf;
                return BodyFault.None;
            case State.TrailerStart:
                (_state, _lineLength) = (State.TrailerName, 0);
                return --_trailersLeft < 0 ? BodyFault.TrailersTooLong : TakeName(current);
            case State.TrailerName: return TakeName(current);
            case State.TrailerValue when current == '\r':
                _state = State.TrailerEnd;
                return BodyFault.None;
            case State.TrailerValue: return Ascii.Contains(current) || (_isAnswer && current >= 0x80) ? BodyFault.None : BodyFault.Trailer;
            case State.TrailerEnd:
                _state = State.TrailerStart;
                return current == '\n' ? BodyFault.None : BodyFault.Trailer;
            default:
                _state = State.Done;
                return current == '\n' ? BodyFault.None : BodyFault.Trailer;
        }
    }

    private BodyFault TakeName(byte current)
    {
        if (current == ':')
        {
            _state = State.TrailerValue;
            return _lineLength == 0 || TrailerNames.IsForbidden(_name[..Math.Min(_lineLength, TrailerNames.Decisive)]) ? BodyFault.Trailer : BodyFault.None;
        }

        if (_lineLength < TrailerNames.Decisive) _name[_lineLength] = current;
        _lineLength++;
        return HeaderReader.IsInToken(current) ? BodyFault.None : BodyFault.Trailer;
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    [InlineArray(TrailerNames.Decisive)]
    private struct NameStart
    {
        private byte _first;
    }
}
