namespace StickyWs.Http1;

/// <summary>What the headers of a plain request say, noted one after the other.</summary>
internal ref struct RequestFacts
{
    public ReadOnlySpan<byte> Host;
    public FramingHeaders Framing;
    public bool Closes;
    public bool NamesHeaders;
    public int Expectations;
    private int _hosts;
    private int _upgrades;
    private bool _isToWebSocket;
    private bool _hasConnectionUpgrade;

    /// <returns>Whether the header leaves no doubt by itself.</returns>
    public bool Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (name.Length)
        {
            case 4 when HeaderNames.Is(name, HeaderNames.Host):
                Host = value;
                return ++_hosts == 1 && HostHeader.IsValid(value);
            case 6 when HeaderNames.Is(name, HeaderNames.Expect):
                return ++Expectations == 1 && HeaderNames.Is(value, "100-continue"u8);
            case 7 when HeaderNames.Is(name, HeaderNames.Upgrade):
                _isToWebSocket = HeaderNames.Is(value, "websocket"u8);
                return ++_upgrades == 1 && _isToWebSocket;
            case 10 when HeaderNames.Is(name, HeaderNames.Connection):
                return NoteConnection(value);
            case 12 when HeaderNames.Is(name, "Content-Type"u8):
                return !GrpcContent.IsOne(value);
            case 13 when HeaderNames.Is(name, "Authorization"u8):
            case 19 when HeaderNames.Is(name, "Proxy-Authorization"u8):
                return !ConnectionCredentials.AreIn(value);
            case 14 when HeaderNames.Is(name, HeaderNames.ContentLength):
                Framing.NoteLength(value);
                return Framing.IsValid;
            case 17 when HeaderNames.Is(name, HeaderNames.TransferEncoding):
                Framing.NoteCoding(value);
                return Framing.IsValid;
            default:
                return true;
        }
    }

    /// <summary>Whether all of them together leave no doubt.</summary>
    /// <param name="isUpgrade">Whether they ask for a WebSocket.</param>
    public readonly bool IsPlain(out bool isUpgrade)
    {
        isUpgrade = _isToWebSocket;
        if (_hosts != 1 || _hasConnectionUpgrade != _isToWebSocket) return false;
        // With an upgrade Kestrel allows no body, and closes when it was not used.
        return !isUpgrade || !(Framing.HasLength || Framing.IsChunked || Expectations > 0 || Closes);
    }

    private bool NoteConnection(ReadOnlySpan<byte> value)
    {
        var options = new TokenList(value);
        while (options.Read())
        {
            var option = options.Current;
            if (HeaderNames.Is(option, "keep-alive"u8)) continue;
            if (HeaderNames.Is(option, HeaderNames.Upgrade)) _hasConnectionUpgrade = true;
            else if (HeaderNames.Is(option, "close"u8)) Closes = true;
            else if (!HeaderReader.IsToken(option) || IsMissed(option)) return false;
            else NamesHeaders |= !HeaderNames.IsOfConnection(option);
        }

        return true;
    }

    // A request that disowns what was read here means something else.
    private static bool IsMissed(ReadOnlySpan<byte> name)
        => !HeaderNames.CanBeDisowned(name)
            || HeaderNames.IsEssential(name)
            || HeaderNames.Is(name, HeaderNames.Expect)
            || HeaderNames.Is(name, "Content-Type"u8)
            || HeaderNames.Is(name, "Authorization"u8)
            || HeaderNames.Is(name, "Cookie"u8);
}
