using System.Buffers;
using StickyWs.Http1;

namespace StickyWs.Detection;

/// <summary>
/// Looks at the first bytes of a connection and says what they are, without consuming any. It remembers how far it looked, so that a
/// client that sends byte by byte costs one look per byte. One sniffer per connection.
/// </summary>
/// <param name="limits">The caps.</param>
/// <param name="readsHello">Whether it waits for a whole ClientHello before it says <see cref="Verdict.Tls"/>.</param>
internal struct Sniffer(HeadLimits limits, bool readsHello = false)
{
    private const byte TlsHandshakeRecord = 0x16;

    private long _scanned;
    private long _lineStart;
    private byte _last;
    private HelloReader _hello;

    /// <summary>Whether the client has sent anything yet.</summary>
    public bool HasSeenBytes { get; private set; }

    /// <summary>Whether part of a ClientHello has arrived, and its rest is awaited.</summary>
    public bool AwaitsHello { get; private set; }

    /// <summary>With <see cref="Verdict.Tls"/>: the ClientHello, if it was to be read and the bytes are TLS at all. It may be a faulty one.</summary>
    public ClientHello? Hello { get; private set; }

    /// <summary>Judges all bytes that have arrived so far.</summary>
    /// <param name="bytes">From the first byte of the connection on; each call sees at least what the one before saw.</param>
    /// <param name="head">The parsed handshake when the verdict is <see cref="Verdict.WebSocket"/>; with any other verdict it must not be used.</param>
    public Verdict Sniff(in ReadOnlySequence<byte> bytes, out RequestHead? head)
    {
        head = null;
        if (bytes.IsEmpty) return Verdict.NeedMore;
        HasSeenBytes = true;
        if (_scanned == 0 || bytes.Length <= 24)
        {
            var start = Classify(bytes);
            if (start == Verdict.Tls && readsHello) return ReadHello(bytes);
            if (start != Verdict.WebSocket) return start;
        }

        var end = FindEnd(bytes, out var verdict);
        return end < 0 ? verdict : Parse(bytes.Slice(0, end), out head);
    }

    private Verdict ReadHello(in ReadOnlySequence<byte> bytes)
    {
        AwaitsHello = _hello.Read(bytes, out var hello) == HelloState.NeedMore;
        Hello = hello;
        return AwaitsHello ? Verdict.NeedMore : Verdict.Tls;
    }

    // WebSocket here means: it starts like a GET, the only method that a handshake may have.
    private static Verdict Classify(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> start = stackalloc byte[24];
        var length = (int)Math.Min(bytes.Length, start.Length);
        bytes.Slice(0, length).CopyTo(start);
        start = start[..length];
        if (start[0] == TlsHandshakeRecord) return Verdict.Tls;
        if (StartsAlike(start, "GET "u8)) return length < 4 ? Verdict.NeedMore : Verdict.WebSocket;
        if (StartsAlike(start, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8)) return length < 24 ? Verdict.NeedMore : Verdict.Http2Preface;
        return Verdict.PlainHttp;
    }

    private static bool StartsAlike(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> pattern)
    {
        var length = Math.Min(bytes.Length, pattern.Length);
        return bytes[..length].SequenceEqual(pattern[..length]);
    }

    // The end of the head, or -1 with a verdict. Every line must end in CRLF: what a bare LF means is Kestrel's to say.
    private long FindEnd(in ReadOnlySequence<byte> bytes, out Verdict verdict)
    {
        foreach (var segment in bytes.Slice(_scanned))
        {
            var rest = segment.Span;
            while (rest.IndexOf((byte)'\n') is >= 0 and var newline)
            {
                var before = newline == 0 ? _last : rest[newline - 1];
                var lineEnd = _scanned + newline + 1;
                verdict = JudgeLine(bytes, before, lineEnd);
                if (verdict == Verdict.WebSocket) return lineEnd;
                if (verdict != Verdict.NeedMore) return -1;
                _lineStart = lineEnd;
                _scanned = lineEnd;
                _last = (byte)'\n';
                rest = rest[(newline + 1)..];
            }

            if (rest.IsEmpty) continue;
            _scanned += rest.Length;
            _last = rest[^1];
        }

        var isTooLong = _scanned >= limits.MaxHeadBytes || (_lineStart == 0 && _scanned >= limits.MaxRequestLineBytes);
        verdict = isTooLong ? Verdict.Doubtful : Verdict.NeedMore;
        return -1;
    }

    // WebSocket here means: this line is the empty one that ends the head.
    private readonly Verdict JudgeLine(in ReadOnlySequence<byte> bytes, byte before, long lineEnd)
    {
        if (before != (byte)'\r' || lineEnd > limits.MaxHeadBytes) return Verdict.Doubtful;
        if (_lineStart > 0) return lineEnd - _lineStart == 2 ? Verdict.WebSocket : Verdict.NeedMore;
        if (lineEnd > limits.MaxRequestLineBytes) return Verdict.Doubtful;
        var line = bytes.Slice(0, lineEnd);
        return RequestLine.IsGetHttp11(line.IsSingleSegment ? line.FirstSpan : line.ToArray()) ? Verdict.NeedMore : Verdict.Doubtful;
    }

    private readonly Verdict Parse(in ReadOnlySequence<byte> bytes, out RequestHead? head)
    {
        if (bytes.IsSingleSegment) return HandshakeParser.Parse(bytes.FirstSpan, limits, out head);
        var rented = ArrayPool<byte>.Shared.Rent((int)bytes.Length);
        try
        {
            bytes.CopyTo(rented);
            return HandshakeParser.Parse(rented.AsSpan(0, (int)bytes.Length), limits, out head);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
