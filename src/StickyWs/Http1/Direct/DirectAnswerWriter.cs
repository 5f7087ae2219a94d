namespace StickyWs.Http1;

/// <summary>
/// Writes the head of a backend's answer to the client: its own lines, byte for byte, without those that end here. What frames the body is said anew, in
/// plain words, since the body passes as it is.
/// </summary>
internal static class DirectAnswerWriter
{
    /// <param name="output">Where to.</param>
    /// <param name="head">The backend's head.</param>
    /// <param name="answer">What the parser took it for.</param>
    /// <param name="lines">Whole lines to add, each with its CRLF.</param>
    /// <param name="closes">Whether the client's connection is closed behind it, as it is in any case where only its end ends the body.</param>
    /// <param name="written">The length of the head.</param>
    /// <returns><see langword="false"/> if there is no room for it.</returns>
    public static bool TryWrite(
        Span<byte> output, ReadOnlySpan<byte> head, in DirectAnswer answer, ReadOnlySpan<byte> lines, bool closes, out int written)
    {
        var writer = new HeadSpan(output);
        writer.Add("HTTP/1.1 "u8);
        writer.Add(head.Slice(StatusLine.StatusAt, 3));
        writer.Add(" "u8);
        writer.Add(answer.Reason(head));
        writer.Add("\r\n"u8);
        var headers = answer.Headers(head);
        while (headers.Read())
        {
            if (Passes(headers.Name, head, in answer) && !FramingLines.TryWrite(ref writer, headers.Name, headers.Value)) writer.Add(headers.Line);
        }

        if (answer.DropsBody) writer.Add("Content-Length: 0\r\n"u8);
        if (closes || (answer.Framing == BodyFraming.UntilClose && !answer.DropsBody)) writer.Add("Connection: close\r\n"u8);
        writer.Add(lines);
        writer.Add("\r\n"u8);
        written = writer.Written;
        return writer.Fits;
    }

    /// <summary>Whether a header of the answer passes on to the client.</summary>
    public static bool Passes(ReadOnlySpan<byte> name, ReadOnlySpan<byte> head, in DirectAnswer answer)
    {
        if (answer.NamesHeaders && NamedByConnection.Contains(new HeaderReader(head[answer.LineLength..answer.HeadLength]), name)) return false;
        if (HeaderNames.Is(name, HeaderNames.ContentLength)) return answer.Status is >= 200 and not (204 or 205);
        if (answer.Framing == BodyFraming.Chunked && !answer.DropsBody && FramingHeaders.IsOfChunks(name)) return true;
        return !HeaderNames.IsHopByHop(name) && !OwnHeaders.IsOne(name);
    }
}
