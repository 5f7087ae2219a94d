namespace StickyWs.Http1;

/// <summary>
/// Writes the head that goes to the backend: the client's own target and header lines, byte for byte, without those that end here, and with truthful
/// <c>X-Forwarded-For/-Proto/-Host</c>. What frames the body is said anew, in plain words, since the body passes as it is; trailers stay
/// announced.
/// </summary>
internal static class DirectRequestWriter
{
    /// <param name="output">Where to.</param>
    /// <param name="head">The client's head.</param>
    /// <param name="request">What the parser took it for.</param>
    /// <param name="words">What else the backend is told.</param>
    /// <param name="written">The length of the head.</param>
    /// <returns><see langword="false"/> if there is no room for it.</returns>
    public static bool TryWrite(Span<byte> output, ReadOnlySpan<byte> head, in DirectRequest request, in BackendWords words, out int written)
    {
        var writer = new HeadSpan(output);
        writer.Add(head[..request.LineLength]);
        var headers = request.Headers(head);
        while (headers.Read())
        {
            if (!Passes(headers.Name, head, in request, in words)) continue;
            if (!FramingLines.TryWrite(ref writer, headers.Name, headers.Value)) writer.Add(headers.Line);
        }

        WriteForwarded(ref writer, head, in request, in words);
        if (words.Closes) writer.Add("Connection: close\r\n"u8);
        writer.Add(words.Lines);
        writer.Add("\r\n"u8);
        written = writer.Written;
        return writer.Fits;
    }

    private static bool Passes(ReadOnlySpan<byte> name, ReadOnlySpan<byte> head, in DirectRequest request, in BackendWords words)
    {
        if (ForwardedNames.IsOne(name)) return ForwardedNames.Passes(name, words.IsTrusted, isOfApplication: false) && !ForwardedNames.IsWrittenAnew(name);
        if (request.NamesHeaders && NamedByConnection.Contains(new HeaderReader(head[request.LineLength..request.HeadLength]), name)) return false;
        if (request.Framing == BodyFraming.Chunked && FramingHeaders.IsOfChunks(name)) return true;
        if (HeaderNames.IsHopByHop(name) || OwnHeaders.IsOne(name)) return false;
        return !(words.DropsAcceptEncoding && HeaderNames.Is(name, "Accept-Encoding"u8))
            && !(words.DropsTrace && (HeaderNames.Is(name, "traceparent"u8) || HeaderNames.Is(name, "tracestate"u8)));
    }

    // As ForwardedWord has it for strings; a test compares the two.
    private static void WriteForwarded(ref HeadSpan writer, ReadOnlySpan<byte> head, in DirectRequest request, in BackendWords words)
    {
        if (!WriteTrusted(ref writer, "X-Forwarded-For: "u8, head, in request, in words)) WriteLine(ref writer, "X-Forwarded-For: "u8, words.Address);
        else if (words.Address.IsEmpty) writer.Add("\r\n"u8);
        else WriteLine(ref writer, ", "u8, words.Address);
        if (!WriteTrusted(ref writer, "X-Forwarded-Proto: "u8, head, in request, in words)) WriteLine(ref writer, "X-Forwarded-Proto: "u8, words.Scheme);
        else writer.Add("\r\n"u8);
        if (!WriteTrusted(ref writer, "X-Forwarded-Host: "u8, head, in request, in words)) WriteLine(ref writer, "X-Forwarded-Host: "u8, request.Host(head));
        else writer.Add("\r\n"u8);
    }

    private static void WriteLine(ref HeadSpan writer, ReadOnlySpan<byte> start, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return;
        writer.Add(start);
        writer.Add(value);
        writer.Add("\r\n"u8);
    }

    // What a trusted proxy says by that name, as one list; without a line end, so that more can be appended.
    private static bool WriteTrusted(ref HeadSpan writer, ReadOnlySpan<byte> start, ReadOnlySpan<byte> head, in DirectRequest request, in BackendWords words)
    {
        if (!words.IsTrusted) return false;
        var hasSaid = false;
        var headers = request.Headers(head);
        while (headers.Read())
        {
            if (!HeaderNames.Is(headers.Name, start[..^2]) || headers.Value.IsEmpty) continue;
            writer.Add(hasSaid ? ", "u8 : start);
            writer.Add(headers.Value);
            hasSaid = true;
        }

        return hasSaid;
    }
}
