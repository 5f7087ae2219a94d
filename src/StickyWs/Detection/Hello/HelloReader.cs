using System.Buffers;
using StickyWs.Tls;

namespace StickyWs.Detection;

/// <summary>
/// Follows the records of a ClientHello, in however many records and pieces it comes, without consuming a byte. It remembers how far it looked, and keeps
/// nothing else: a client that sends byte by byte costs one look per byte and no memory. One reader per connection.
/// </summary>
internal struct HelloReader
{
    /// <summary>The longest ClientHello, with the headers of its records: what is peeked at most. Real ones take 200 bytes to 2 KiB.</summary>
    public const int MostBytes = 32 * 1024;

    private const int RecordHeader = 5;
    private const int MessageHeader = 4;
    private const int MostInRecord = 1 << 14;
    private const byte ClientHelloType = 1;

    // Where it looks next; what is left of the record there; how many bytes of the message came before.
    private int _at;
    private int _left;
    private int _seen;

    // The message's own header, and from the fourth byte on the length of the message with it.
    private uint _header;
    private int _length;

    /// <summary>Looks at all bytes that have arrived so far.</summary>
    /// <param name="bytes">From the first byte of the connection on; each call sees at least what the one before saw.</param>
    /// <param name="hello">The message; one with a fault if the bytes cannot become a ClientHello any more.</param>
    public HelloState Read(in ReadOnlySequence<byte> bytes, out ClientHello? hello)
    {
        hello = null;
        var end = (int)Math.Min(bytes.Length, MostBytes);
        while (_at < end)
        {
            if (_left == 0)
            {
                if (JudgeRecord(bytes.Slice(_at, Math.Min(end - _at, RecordHeader)), out var fault) is not HelloState.Complete and var state)
                {
                    if (state == HelloState.NeedMore) break;
                    if (state == HelloState.Faulty) hello = new ClientHello(_at, Fault: fault);
                    return state;
                }

                continue;
            }

            if (TryAdvance(bytes, end, out var wrong)) return Finish(bytes, out hello);
            if (wrong is null) continue;
            hello = new ClientHello(_at, Fault: wrong);
            return HelloState.Faulty;
        }

        if (bytes.Length < MostBytes) return HelloState.NeedMore;
        hello = new ClientHello(MostBytes, Fault: TooLong);
        return HelloState.Faulty;
    }

    // OpenSSL's word for a message that is longer than it takes, too.
    private static HelloFault TooLong => new($"it is longer than {MostBytes} bytes", TlsAlert.illegal_parameter);

    // The header of a record (RFC 8446 section 5.1), as far as it is there. Complete: it is, and is passed.
    private HelloState JudgeRecord(in ReadOnlySequence<byte> bytes, out HelloFault? fault)
    {
        fault = null;
        Span<byte> header = stackalloc byte[RecordHeader];
        var have = (int)bytes.Length;
        bytes.CopyTo(header);
        if (header[0] != (byte)RecordType.Handshake)
        {
            fault = new HelloFault($"a record of type {header[0]} within it", TlsAlert.unexpected_message);
            return _at == 0 ? HelloState.NotTls : HelloState.Faulty;
        }

        if (have > 1 && header[1] != 3)
        {
            fault = new HelloFault($"a record of version {header[1]} within it", TlsAlert.protocol_version);
            return _at == 0 ? HelloState.NotTls : HelloState.Faulty;
        }

        if (have < RecordHeader) return HelloState.NeedMore;
        var length = (header[3] << 8) | header[4];
        fault = length switch
        {
            0 => new HelloFault("an empty record", TlsAlert.unexpected_message),
            > MostInRecord => new HelloFault($"a record of {length} bytes", TlsAlert.record_overflow),
            _ => null,
        };
        if (fault is not null) return HelloState.Faulty;
        _at += RecordHeader;
        _left = length;
        return HelloState.Complete;
    }

    // Goes on within a record. Whether the message is there.
    private bool TryAdvance(in ReadOnlySequence<byte> bytes, int end, out HelloFault? fault)
    {
        fault = null;
        var step = Math.Min(Math.Min(_left, end - _at), (_seen < MessageHeader ? MessageHeader : _length) - _seen);
        if (_seen < MessageHeader)
        {
            foreach (var segment in bytes.Slice(_at, step))
            {
                foreach (var value in segment.Span) _header = (_header << 8) | value;
            }
        }

        _at += step;
        _left -= step;
        _seen += step;
        if (_seen < MessageHeader) return false;
        if (_length == 0) fault = JudgeMessage();
        if (fault is not null || _seen < _length) return false;
        if (_left > 0) fault = new HelloFault("it is followed by something in the same record", TlsAlert.unexpected_message);
        return fault is null;
    }

    private HelloFault? JudgeMessage()
    {
        var type = _header >> 24;
        _length = (int)(_header & 0xFFFFFF) + MessageHeader;
        if (type != ClientHelloType) return new HelloFault($"a handshake message of type {type} in its place", TlsAlert.unexpected_message);
        return _length > MostBytes - RecordHeader ? TooLong : null;
    }

    private readonly HelloState Finish(in ReadOnlySequence<byte> bytes, out ClientHello hello)
    {
        var rented = ArrayPool<byte>.Shared.Rent(_at);
        try
        {
            var wire = rented.AsSpan(0, _at);
            bytes.Slice(0, _at).CopyTo(wire);
            hello = HelloBody.Parse(Unwrap(wire)[MessageHeader..], _at);
            return hello.Fault is null ? HelloState.Complete : HelloState.Faulty;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    // Moves the contents of the records together. Their headers were judged before.
    private static ReadOnlySpan<byte> Unwrap(Span<byte> wire)
    {
        var length = 0;
        for (var at = 0; at < wire.Length;)
        {
            var content = wire.Slice(at + RecordHeader, (wire[at + 3] << 8) | wire[at + 4]);
            at += RecordHeader + content.Length;
            content.CopyTo(wire[length..]);
            length += content.Length;
        }

        return wire[..length];
    }
}

/// <summary>How far the bytes of a ClientHello have come.</summary>
internal enum HelloState
{
    /// <summary>They may still become one.</summary>
    NeedMore,

    /// <summary>They do not begin a handshake of TLS.</summary>
    NotTls,

    /// <summary>They begin like TLS, and break its rules.</summary>
    Faulty,

    /// <summary>It is there.</summary>
    Complete,
}
