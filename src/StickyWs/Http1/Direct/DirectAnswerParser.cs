namespace StickyWs.Http1;

/// <summary>
/// Reads a backend's answer in HTTP/1.x as strictly as <see cref="ResponseHead"/> does, and never takes what the runtime's own client refuses. It
/// allocates nothing.
/// </summary>
internal static class DirectAnswerParser
{
    private const int SwitchingProtocols = 101;
    private const int NoContent = 204;

    // A connection that its backend closes so soon is not worth keeping; HttpClient says the same.
    private const int LeastSeconds = 1;

    /// <param name="bytes">What is there of the head, from its start; more may follow it.</param>
    /// <param name="mostBytes">The longest head.</param>
    /// <param name="searched">How far the end of this head was looked for: 0 at first, and kept by the caller until the head is whole.</param>
    /// <param name="isHeadRequest">Whether it answers a HEAD.</param>
    /// <param name="answer">The answer that is <see cref="AnswerVerdict.Informational"/> or <see cref="AnswerVerdict.Final"/>.</param>
    public static AnswerVerdict Parse(ReadOnlySpan<byte> bytes, int mostBytes, ref int searched, bool isHeadRequest, out DirectAnswer answer)
    {
        answer = default;
        var before = searched;
        switch (HeadEnd.Find(bytes, ref searched))
        {
            case HeadEnd.NotYet: return CanBecomeOne(bytes, before, mostBytes) ? AnswerVerdict.Incomplete : AnswerVerdict.Bad;
            case HeadEnd.Never: return AnswerVerdict.Bad;
            case var length when length <= mostBytes && Read(bytes[..length], isHeadRequest, ref answer):
                return answer.Status < 200 ? AnswerVerdict.Informational : AnswerVerdict.Final;
            default:
                answer = default;
                return AnswerVerdict.Bad;
        }
    }

    private static bool CanBecomeOne(ReadOnlySpan<byte> bytes, int before, int mostBytes)
    {
        var start = StatusLine.Start;
        return bytes.Length < mostBytes
            && start.StartsWith(bytes[..Math.Min(bytes.Length, start.Length)])
            && (HeadEnd.FirstLine(bytes, before) is not { IsEmpty: false } line || StatusLine.IsValid(line[..^2]));
    }

    private static bool Read(ReadOnlySpan<byte> head, bool isHeadRequest, ref DirectAnswer answer)
    {
        answer.HeadLength = head.Length;
        answer.LineLength = head.IndexOf("\r\n"u8) + 2;
        var line = head[..(answer.LineLength - 2)];
        if (!StatusLine.IsValid(line)) return false;
        answer.Status = StatusLine.Status(line);
        var facts = new AnswerFacts();
        var headers = new HeaderReader(head[answer.LineLength..]);
        while (headers.Read()) facts.Note(headers.Name, headers.Value, headers.IsPlain);
        var isHttp10 = StatusLine.IsHttp10(line);
        if (headers.IsMalformed || answer.Status == SwitchingProtocols || !facts.CanFrame(answer.Status, isHttp10)) return false;
        Frame(isHeadRequest, isHttp10, in facts, ref answer);
        return true;
    }

    private static void Frame(bool isHeadRequest, bool isHttp10, in AnswerFacts facts, ref DirectAnswer answer)
    {
        answer.Framing = isHeadRequest || answer.Status is < 200 or 204 or 304 ? BodyFraming.None
            : facts.Framing.IsChunked ? BodyFraming.Chunked
            : facts.Framing.HasLength ? BodyFraming.Length
            : BodyFraming.UntilClose;
        answer.ContentLength = answer.Framing == BodyFraming.Length ? facts.Framing.ContentLength : 0;
        answer.DropsBody = answer.Status == 205;
        answer.KeepAliveSeconds = facts.KeepAliveSeconds;
        answer.KeepAlive = !isHttp10 && !facts.Closes && answer.Framing != BodyFraming.UntilClose && answer.KeepAliveSeconds is < 0 or > LeastSeconds;
        if (answer.Status == NoContent && (facts.Framing.IsChunked || facts.Framing.ContentLength > 0)) answer.KeepAlive = false; // Its body may yet come.
        answer.NamesHeaders = facts.NamesHeaders;
        var keepsFraming = answer.Framing == BodyFraming.Chunked || !(facts.Framing.IsChunked || facts.HasTrailer);
        var keepsLength = answer.Status is >= 200 and not (204 or 205) || !facts.Framing.HasLength;
        var hasSpace = answer.LineLength >= StatusLine.ReasonAt + 2;
        answer.PassesAsIs = !isHttp10 && hasSpace && !answer.DropsBody && facts.AllPass && keepsFraming && keepsLength;
    }
}
