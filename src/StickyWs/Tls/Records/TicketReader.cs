namespace StickyWs.Tls;

/// <summary>
/// Reads one NewSessionTicket (RFC 8446, section 4.6.1) as it comes, and keeps nothing of it: sessions are <see cref="SessionTaker"/>'s. Its lengths
/// must add up.
/// </summary>
internal sealed class TicketReader
{
    /// <summary>HandshakeType.</summary>
    public const byte Type = 4;

    // The longest that the fields allow, as OpenSSL has it.
    private const int Longest = 131_338;

    // Lifetime and age_add.
    private const int Times = 8;

    private Part _part = Part.Header;
    private int _left = 4;
    private int _number;
    private int _message;

    private enum Part : byte
    {
        Header,
        Times,
        NonceLength,
        Nonce,
        TicketLength,
        Ticket,
        ExtensionsLength,
        Extensions,
    }

    /// <summary>Whether the message was read to its end.</summary>
    public bool IsDone { get; private set; }

    // Header, which has the length of the message in its last three bytes, and lengths.
    private bool IsNumber => _part is Part.Header or Part.NonceLength or Part.TicketLength or Part.ExtensionsLength;

    /// <summary>Reads on, up to the end of the message.</summary>
    /// <returns>How many bytes belong to it; -1 if it is malformed.</returns>
    public int Read(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; ; at += Take(bytes[at..]))
        {
            while (_left == 0 && !IsDone)
            {
                if (!TryGoOn()) return -1;
            }

            if (IsDone || at == bytes.Length) return at;
        }
    }

    private int Take(ReadOnlySpan<byte> bytes)
    {
        var taken = Math.Min(_left, bytes.Length);
        if (IsNumber)
        {
            foreach (var each in bytes[..taken]) _number = (_number << 8) | each;
        }

        if (_part != Part.Header) _message -= taken;
        _left -= taken;
        return taken;
    }

    // A part is over. False: the next does not fit into the message.
    private bool TryGoOn()
    {
        const int lengthBits = 0xFFFFFF;
        if (_part == Part.Extensions)
        {
            IsDone = true;
            return true;
        }

        if (_part == Part.Header) _message = _number & lengthBits;
        var isOfAllowedLength = _part switch
        {
            Part.Header => _message <= Longest,
            Part.TicketLength => _number > 0,
            Part.ExtensionsLength => _number == _message,
            _ => true,
        };
        _left = _part switch
        {
            Part.Header => Times,
            Part.NonceLength or Part.TicketLength or Part.ExtensionsLength => _number,
            Part.Times => 1,
            _ => 2,
        };
        _part++;
        _number = 0;
        return isOfAllowedLength && _left <= _message;
    }
}
