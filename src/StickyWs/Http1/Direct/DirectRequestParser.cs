using System.Buffers;

namespace StickyWs.Http1;

/// <summary>
/// Reads a plain request in HTTP/1.1, and takes only what is beyond doubt: Kestrel would accept it, and read the same. It allocates nothing.
/// </summary>
internal static class DirectRequestParser
{
    // Visible ASCII, space and HTAB; CR and LF stand between lines only.
    private static readonly SearchValues<byte> ValueBytes = SearchValues.Create([(byte)'\t', .. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (byte)c)]);

    /// <param name="bytes">What is there of the head, from its start; more may follow it.</param>
    /// <param name="limits">The caps of a head.</param>
    /// <param name="searched">How far the end of this head was looked for: 0 at first, and kept by the caller until the head is whole.</param>
    /// <param name="request">The request that is <see cref="HeadVerdict.Taken"/>.</param>
    public static HeadVerdict Parse(ReadOnlySpan<byte> bytes, HeadLimits limits, ref int searched, out DirectRequest request)
    {
        request = default;
        var before = searched;
        switch (HeadEnd.Find(bytes, ref searched))
        {
            case HeadEnd.NotYet: return CanBecomeOne(bytes, before, limits) ? HeadVerdict.Incomplete : HeadVerdict.HandOn;
            case HeadEnd.Never: return HeadVerdict.HandOn;
            case var length when length <= limits.MaxHeadBytes && Read(bytes[..length], limits, ref request):
                return HeadVerdict.Taken;
            default:
                request = default;
                return HeadVerdict.HandOn;
        }
    }

    /// <summary>
    /// Whether bytes begin with a whole head that asks for a WebSocket. More than <see cref="DirectRequest.IsUpgrade"/>, also of heads that are handed on: a
    /// handshake may have what a plain request may not. Whether it is a flawless one is for the handshake parser to say.
    /// </summary>
    public static bool AsksForWebSocket(ReadOnlySpan<byte> bytes)
    {
        var searched = 0;
        if (HeadEnd.Find(bytes, ref searched) is not (> 0 and var length)) return false;
        var headers = new HeaderReader(bytes[(bytes.IndexOf((byte)'\n') + 1)..length]);
        while (headers.Read())
        {
            if (HeaderNames.Is(headers.Name, HeaderNames.Upgrade) && HeaderNames.Is(headers.Value, "websocket"u8)) return true;
        }

        return false;
    }

    private static bool CanBecomeOne(ReadOnlySpan<byte> bytes, int before, HeadLimits limits)
        => bytes.Length < limits.MaxHeadBytes && (HeadEnd.FirstLine(bytes, before) is not { IsEmpty: false } line || IsWanted(line, limits));

    private static bool IsWanted(ReadOnlySpan<byte> line, HeadLimits limits)
        => line.Length <= limits.MaxRequestLineBytes
            && RequestLine.IsHttp11OfAnyMethod(line)
            && RequestLine.HasPlainPath(RequestLine.Target(line))
            && !HeaderNames.Is(RequestLine.Method(line), "CONNECT"u8)
            && !HeaderNames.Is(RequestLine.Method(line), "TRACE"u8);

    private static bool Read(ReadOnlySpan<byte> head, HeadLimits limits, ref DirectRequest request)
    {
        var line = head[..(head.IndexOf((byte)'\n') + 1)];
        if (!IsWanted(line, limits)) return false;
        var facts = default(RequestFacts);
        var headers = new HeaderReader(head[line.Length..]);
        while (headers.Read())
        {
            if (++request.HeaderCount > limits.MaxHeaders || headers.Value.ContainsAnyExcept(ValueBytes)) return false;
            if (!facts.Note(headers.Name, headers.Value)) return false;
        }

        if (headers.IsMalformed || !facts.IsPlain(out request.IsUpgrade)) return false;
        SetLine(line, ref request);
        request.HeadLength = head.Length;
        request.HostLength = facts.Host.Length;
        head.Overlaps(facts.Host, out request.HostStart);
        request.Framing = facts.Framing.IsChunked ? BodyFraming.Chunked : facts.Framing.HasLength ? BodyFraming.Length : BodyFraming.None;
        request.ContentLength = facts.Framing.ContentLength;
        request.KeepAlive = !facts.Closes;
        request.ExpectsContinue = facts.Expectations > 0;
        request.NamesHeaders = facts.NamesHeaders;
        return true;
    }

    private static void SetLine(ReadOnlySpan<byte> line, ref DirectRequest request)
    {
        var method = RequestLine.Method(line);
        var target = RequestLine.Target(line);
        request.LineLength = line.Length;
        request.MethodLength = method.Length;
        request.TargetLength = target.Length;
        request.PathLength = RequestLine.Path(target).Length;
        request.IsHead = method.SequenceEqual("HEAD"u8);
        request.IsSafe = SafeMethods.Contain(method);
    }
}
