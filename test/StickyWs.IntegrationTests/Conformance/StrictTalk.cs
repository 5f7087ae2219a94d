using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace StickyWs.IntegrationTests.Conformance;

/// <summary>What an endpoint says in answer to a client's frames.</summary>
internal sealed class StrictTalk
{
    private const int BadFrame = 1002;
    private const int BadText = 1007;

    // Throws on what is no UTF-8.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> _answer = new();
    private Decoder? _text;
    private bool _isWithinMessage;
    private int _at;

    /// <summary>Whether a Close was said.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Takes whole frames of all that has come so far; what is said next. The memory is valid until the next call.</summary>
    public ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> all)
    {
        _answer.ResetWrittenCount();
        while (!IsOver && TryTake(all.Span[_at..]))
        {
        }

        return _answer.WrittenMemory;
    }

    private bool TryTake(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2) return false;
        var (isLast, opcode, length) = ((bytes[0] & 0x80) != 0, bytes[0] & 0x0F, (long)(bytes[1] & 0x7F));
        var isControl = opcode >= 8;
        if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) == 0 || opcode is (> 2 and < 8) or > 10 || (isControl && (!isLast || length > 125)))
            return Refuse(BadFrame);
        if (!isControl && opcode == 0 != _isWithinMessage) return Refuse(BadFrame);
        var extended = length == 126 ? 2 : length == 127 ? 8 : 0;
        if (bytes.Length < 2 + extended + 4) return false;
        if (extended == 2) length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (extended == 8) length = BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
        var header = 2 + extended + 4;
        if (length > bytes.Length - header) return false;
        var key = bytes.Slice(header - 4, 4);
        var payload = bytes.Slice(header, (int)length).ToArray();
        for (var i = 0; i < payload.Length; i++) payload[i] ^= key[i % 4];
        _at += header + payload.Length;
        return isControl ? Answer(opcode, payload) : Echo(opcode, payload, isLast);
    }

    private bool Echo(int opcode, byte[] payload, bool isLast)
    {
        if (opcode != 0) _text = opcode == 1 ? Strict.GetDecoder() : null;
        if (_text is not null && !IsText(_text, payload, isLast)) return Refuse(BadText);
        _isWithinMessage = !isLast;
        Say((isLast ? 0x80 : 0) | opcode, payload);
        return true;
    }

    private bool Answer(int opcode, byte[] payload)
    {
        if (opcode == 9) Say(0x8A, payload);
        if (opcode != 8) return true;
        var code = payload.Length < 2 ? 1000 : (payload[0] << 8) | payload[1];
        var isKnown = code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);
        if (payload.Length == 1 || !isKnown) return Refuse(BadFrame);
        if (payload.Length > 2 && !IsText(Strict.GetDecoder(), payload.AsSpan(2), isLast: true)) return Refuse(BadText);
        Say(0x88, payload);
        IsOver = true;
        return false;
    }

    private bool Refuse(int code)
    {
        Say(0x88, [(byte)(code >> 8), (byte)code]);
        IsOver = true;
        return false;
    }

    private void Say(int first, byte[] payload)
    {
        var extended = payload.Length < 126 ? 0 : payload.Length <= ushort.MaxValue ? 2 : 8;
        var header = _answer.GetSpan(2 + extended);
        header[0] = (byte)first;
        header[1] = (byte)(extended == 0 ? payload.Length : extended == 2 ? 126 : 127);
        if (extended == 2) BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)payload.Length);
        if (extended == 8) BinaryPrimitives.WriteUInt64BigEndian(header[2..], (ulong)payload.Length);
        _answer.Advance(2 + extended);
        _answer.Write(payload);
    }

    private static bool IsText(Decoder decoder, ReadOnlySpan<byte> bytes, bool isLast)
    {
        try
        {
            decoder.GetChars(bytes, new char[bytes.Length + 4], flush: isLast);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
