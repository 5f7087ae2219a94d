using System.Buffers;
using System.Text;

namespace StickyWs.Http1;

/// <summary>The head of a backend's response, strictly parsed: it is trusted no more than a client's.</summary>
internal sealed class ResponseHead : IAnswerHead
{
    private readonly byte[] _bytes;
    private readonly int _headersStart;
    private bool? _namesHeaders;

    private ResponseHead(byte[] bytes, int headersStart, int status)
    {
        _bytes = bytes;
        _headersStart = headersStart;
        Status = status;
    }

    /// <summary>The status, 100 to 599.</summary>
    public int Status { get; }

    /// <summary>The reason phrase, often empty.</summary>
    public ReadOnlySpan<byte> Reason => StatusLine.Reason(_bytes.AsSpan(0, _headersStart - 2));

    /// <summary>How the body that follows is delimited (RFC 9112 section 6.3), given that the request was a GET.</summary>
    public BodyFraming Framing { get; private set; }

    /// <summary>The body's length if <see cref="Framing"/> is <see cref="BodyFraming.Length"/>.</summary>
    public long ContentLength { get; private set; }

    public HeaderReader ReadHeaders() => new(_bytes.AsSpan(_headersStart));

    /// <summary>Whether a header ends at this hop. A 1xx has no body, so its <c>Content-Length</c> ends here, too (RFC 9112 section 6.3).</summary>
    public bool IsHopByHop(ReadOnlySpan<byte> name)
        => HeaderNames.IsHopByHop(name)
            || (Status < 200 && HeaderNames.Is(name, HeaderNames.ContentLength))
            || ((_namesHeaders ??= NamedByConnection.HasAny(ReadHeaders())) && NamedByConnection.Contains(ReadHeaders(), name));

    /// <summary>The only value of a header as Latin-1 text; <see langword="null"/> if there is none, or more than one.</summary>
    public string? Single(ReadOnlySpan<byte> name)
    {
        string? found = null;
        var headers = ReadHeaders();
        while (headers.Read())
        {
            if (!HeaderNames.Is(headers.Name, name)) continue;
            if (found is not null) return null;
            found = Encoding.Latin1.GetString(headers.Value);
        }

        return found;
    }

    public bool TryRead(string name, int occurrence, Span<byte> value, out int length)
    {
        length = 0;
        var headers = ReadHeaders();
        while (headers.Read())
        {
            if (!Ascii.EqualsIgnoreCase(headers.Name, name) || occurrence-- > 0) continue;
            if (headers.Value.TryCopyTo(value)) length = headers.Value.Length;
            return true;
        }

        return false;
    }

    /// <summary>
    /// The same head without the headers that end here: hop-by-hop headers, those that <c>Connection</c> names, and the balancer's own, which a
    /// backend may not set. <c>Connection</c> itself is dropped, so it names no header that is added later.
    /// </summary>
    public ResponseHead ForClient()
    {
        var kept = new ArrayBufferWriter<byte>(_bytes.Length);
        kept.Write(_bytes.AsSpan(0, _headersStart));
        var headers = ReadHeaders();
        while (headers.Read())
        {
            if ((IsHopByHop(headers.Name) && !HeaderNames.Is(headers.Name, HeaderNames.Upgrade)) || OwnHeaders.IsOne(headers.Name)) continue;
            kept.Write(headers.Name);
            kept.Write(": "u8);
            kept.Write(headers.Value);
            kept.Write("\r\n"u8);
        }

        kept.Write("\r\n"u8);
        return new ResponseHead(kept.WrittenSpan.ToArray(), _headersStart, Status) { Framing = Framing, ContentLength = ContentLength };
    }

    /// <summary>The same head with one more header at the end.</summary>
    public ResponseHead With(string name, string value)
    {
        var line = Encoding.Latin1.GetBytes($"{name}: {value}\r\n\r\n");
        byte[] bytes = [.. _bytes.AsSpan(0, _bytes.Length - 2), .. line];
        return new ResponseHead(bytes, _headersStart, Status) { Framing = Framing, ContentLength = ContentLength };
    }

    /// <summary>Whether this is the 101 that opens the requested tunnel.</summary>
    public bool Opens(RequestHead asked) => asked.Upgrades is { } protocols ? SwitchesTo(protocols.Span) : Opens(asked.Key.Span);

    /// <summary>
    /// Whether this is the 101 that opens the WebSocket requested with <paramref name="key"/> (the client's checks of RFC 6455 section 4.1): one
    /// <c>Upgrade: websocket</c>, <c>Connection: upgrade</c>, the right <c>Sec-WebSocket-Accept</c>. Fields that announce a body are ignored (RFC
    /// 9112 section 6.3).
    /// </summary>
    public bool Opens(ReadOnlySpan<byte> key)
    {
        var accepts = 0;
        var isRight = SwitchesTo("websocket"u8);
        var headers = ReadHeaders();
        while (isRight && headers.Read())
        {
            if (!HeaderNames.Is(headers.Name, HeaderNames.Accept)) continue;
            accepts++;
            isRight = WebSocketKey.IsAnsweredBy(key, headers.Value);
        }

        return isRight && accepts == 1;
    }

    /// <summary>Whether this is a 101 that switches to exactly one of the requested protocols (RFC 9110 sections 7.8 and 15.2.2).</summary>
    /// <param name="protocols">A list of protocols, as in <c>Upgrade</c>.</param>
    public bool SwitchesTo(ReadOnlySpan<byte> protocols)
    {
        var upgrades = 0;
        var isRight = Status == 101 && _bytes.AsSpan().StartsWith("HTTP/1.1"u8);
        var hasConnectionUpgrade = false;
        var headers = ReadHeaders();
        while (headers.Read())
        {
            if (HeaderNames.Is(headers.Name, HeaderNames.Upgrade))
            {
                upgrades++;
                isRight &= TokenList.Contains(protocols, headers.Value);
            }
            else if (HeaderNames.Is(headers.Name, HeaderNames.Connection))
            {
                hasConnectionUpgrade |= TokenList.Contains(headers.Value, HeaderNames.Upgrade);
            }
        }

        return isRight && upgrades == 1 && hasConnectionUpgrade;
    }

    /// <summary>Parses a head at the start of <paramref name="bytes"/>.</summary>
    /// <returns>The head's length; 0 if more bytes are needed; -1 if it is not an HTTP/1 head.</returns>
    public static int TryParse(ReadOnlySpan<byte> bytes, out ResponseHead? head)
    {
        head = null;
        var end = bytes.IndexOf("\r\n\r\n"u8);
        var lineEnd = bytes.IndexOf("\r\n"u8);
        if (lineEnd >= 0 && !StatusLine.IsValid(bytes[..lineEnd])) return -1;
        if (end < 0) return bytes.Length > 0 && !StatusLine.Start.StartsWith(bytes[..Math.Min(bytes.Length, StatusLine.Start.Length)]) ? -1 : 0;
        var length = end + 4;
        var parsed = new ResponseHead(bytes[..length].ToArray(), lineEnd + 2, StatusLine.Status(bytes));
        if (!parsed.Frame()) return -1;
        head = parsed;
        return length;
    }

    private bool Frame()
    {
        var framing = default(FramingHeaders);
        var headers = ReadHeaders();
        while (headers.Read())
        {
            if (HeaderNames.Is(headers.Name, HeaderNames.ContentLength)) framing.NoteLength(headers.Value);
            else if (HeaderNames.Is(headers.Name, HeaderNames.TransferEncoding)) framing.NoteCoding(headers.Value);
        }

        ContentLength = framing.ContentLength;
        if (Status < 200) return !headers.IsMalformed; // Ends at its empty line, whatever it announces (RFC 9112 section 6.3).
        Framing = Status is 204 or 304 ? BodyFraming.None
            : framing.IsChunked ? BodyFraming.Chunked
            : framing.HasLength ? BodyFraming.Length
            : BodyFraming.UntilClose;
        return framing.IsValid && !headers.IsMalformed;
    }
}
