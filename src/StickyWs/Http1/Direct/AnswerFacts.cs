using System.Buffers.Text;

namespace StickyWs.Http1;

/// <summary>What the headers of an answer say, noted one after the other.</summary>
internal struct AnswerFacts()
{
    public FramingHeaders Framing;
    public bool Closes;
    public bool NamesHeaders;
    public bool HasTrailer;
    public int KeepAliveSeconds = -1;

    /// <summary>
    /// Whether none of the headers ends at this hop, besides those that announce trailers and those that frame the body, which are as they would be written.
    /// </summary>
    public bool AllPass = true;

    /// <summary>Notes a header.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="isPlain">Whether its line has no white space besides one space before the value.</param>
    public void Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool isPlain)
    {
        switch (name.Length)
        {
            case 7 when HeaderNames.Is(name, HeaderNames.Trailer):
                HasTrailer = true;
                break;
            case 10 when HeaderNames.Is(name, HeaderNames.Connection):
                NoteConnection(value);
                AllPass = false;
                break;
            case 10 when HeaderNames.Is(name, HeaderNames.KeepAlive):
                NoteKeepAlive(value);
                AllPass = false;
                break;
            case 14 when HeaderNames.Is(name, HeaderNames.ContentLength):
                Framing.NoteLength(value);
                AllPass &= isPlain && FramingLines.IsPlainLength(value);
                break;
            case 17 when HeaderNames.Is(name, HeaderNames.TransferEncoding):
                Framing.NoteCoding(value);
                AllPass &= isPlain && FramingLines.IsPlainCoding(value);
                break;
            default:
                AllPass &= !HeaderNames.IsHopByHop(name) && !OwnHeaders.IsOne(name);
                break;
        }
    }

    /// <summary>Whether its body ends where everybody would say. A 1xx ends at its empty line, whatever it announces (RFC 9112 section 6.3).</summary>
    public readonly bool CanFrame(int status, bool isHttp10) => status < 200 || (Framing.IsValid && !(isHttp10 && Framing.IsChunked));

    private void NoteConnection(ReadOnlySpan<byte> value)
    {
        var options = new TokenList(value);
        while (options.Read())
        {
            var option = options.Current;
            // In doubt it does not stay open.
            if (HeaderNames.Is(option, "close"u8) || !HeaderReader.IsToken(option)) Closes = true;
            else NamesHeaders |= !HeaderNames.IsOfConnection(option);
        }
    }

    private void NoteKeepAlive(ReadOnlySpan<byte> list)
    {
        var options = new TokenList(list);
        while (options.Read())
        {
            var option = options.Current;
            var equals = option.IndexOf((byte)'=');
            if (equals < 0) continue;
            var name = option[..equals].TrimEnd(" \t"u8);
            var value = option[(equals + 1)..].TrimStart(" \t"u8);
            if (!Utf8Parser.TryParse(value, out int number, out var used) || used != value.Length || number < 0) continue;
            if (HeaderNames.Is(name, "timeout"u8)) KeepAliveSeconds = KeepAliveSeconds < 0 ? number : Math.Min(KeepAliveSeconds, number);
            else if (HeaderNames.Is(name, "max"u8)) Closes |= number == 0;
        }
    }
}
