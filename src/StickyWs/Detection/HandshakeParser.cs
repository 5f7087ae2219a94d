using StickyWs.Http1;

namespace StickyWs.Detection;

/// <summary>
/// Says whether a complete request head is a flawless WebSocket handshake (RFC 6455 section 4.2.1): GET, HTTP/1.1, one host, one upgrade to
/// <c>websocket</c>, version 13, one valid key, no body. Everything that is not beyond doubt is left to Kestrel.
/// </summary>
internal static class HandshakeParser
{
    /// <param name="bytes">The whole head, its empty line included.</param>
    /// <param name="limits">The caps.</param>
    /// <param name="head">
    /// The handshake when the verdict is <see cref="Verdict.WebSocket"/>, or <see cref="Verdict.Doubtful"/> only because Kestrel has to decode its path or
    /// bytes.
    /// </param>
    /// <returns><see cref="Verdict.WebSocket"/>, <see cref="Verdict.PlainHttp"/> or <see cref="Verdict.Doubtful"/>.</returns>
    public static Verdict Parse(ReadOnlySpan<byte> bytes, HeadLimits limits, out RequestHead? head)
    {
        head = null;
        var lineEnd = bytes.IndexOf("\r\n"u8) + 2;
        if (lineEnd < 2 || bytes.Length > limits.MaxHeadBytes || !RequestLine.IsGetHttp11(bytes[..lineEnd])) return Verdict.Doubtful;
        var facts = default(Facts);
        var reader = new HeaderReader(bytes[lineEnd..]);
        while (reader.Read())
        {
            if (++facts.Count > limits.MaxHeaders) return Verdict.Doubtful;
            facts.Note(reader.Name, reader.Value);
        }

        if (reader.IsMalformed) return Verdict.Doubtful;
        if (facts.Upgrades == 0) return Verdict.PlainHttp;
        if (!facts.IsFlawless()) return Verdict.Doubtful;
        var isPlain = !facts.HasForeignBytes && RequestLine.HasPlainPath(RequestLine.Target(bytes[..lineEnd]));
        head = new RequestHead(bytes.ToArray(), lineEnd, facts.Host, facts.Key, isPlain);
        return isPlain ? Verdict.WebSocket : Verdict.Doubtful;
    }

    /// <summary>
    /// Reads a request for another upgrade (RFC 9110 section 7.8): HTTP/1.1, one host, <c>Connection: upgrade</c>, no body. What is asked for, and
    /// with which method, was judged before.
    /// </summary>
    /// <param name="bytes">The whole head, its empty line included.</param>
    /// <param name="method">The method and the space behind it.</param>
    /// <param name="upgrades">The protocols that the backend is asked for, a list as in <c>Upgrade</c>.</param>
    /// <returns><see langword="null"/> for a head that is not flawless.</returns>
    public static RequestHead? ParseUpgrade(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> method, byte[] upgrades)
    {
        var lineEnd = bytes.IndexOf("\r\n"u8) + 2;
        if (lineEnd < 2 || !RequestLine.IsHttp11(bytes[..lineEnd], method)) return null;
        var facts = default(Facts);
        var reader = new HeaderReader(bytes[lineEnd..]);
        while (reader.Read()) facts.Note(reader.Name, reader.Value);
        if (reader.IsMalformed || !facts.IsSwitch()) return null;
        return new RequestHead(bytes.ToArray(), lineEnd, facts.Host, default, isPlain: false) { Upgrades = upgrades };
    }

    private ref struct Facts
    {
        public int Count;
        public int Upgrades;
        public bool HasForeignBytes;
        public ReadOnlySpan<byte> Host;
        public ReadOnlySpan<byte> Key;
        private bool _isUpgradeWebSocket;
        private bool _hasConnectionUpgrade;
        private bool _isRefused;
        private bool _isOtherVersion;
        private bool _hasContent;
        private int _lengths;
        private int _hosts;
        private int _keys;
        private int _versions;

        public void Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            HasForeignBytes |= value.ContainsAnyInRange((byte)0x80, (byte)0xFF);
            switch (name.Length)
            {
                case 4 when HeaderNames.Is(name, HeaderNames.Host):
                    _hosts++;
                    Host = value;
                    break;
                case 14 when HeaderNames.Is(name, HeaderNames.ContentLength):
                    _lengths++;
                    _hasContent |= !value.SequenceEqual("0"u8);
                    break;
                case 6 when HeaderNames.Is(name, HeaderNames.Expect):
                case 17 when HeaderNames.Is(name, HeaderNames.TransferEncoding):
                    _isRefused = true;
                    break;
                case 7 when HeaderNames.Is(name, HeaderNames.Upgrade):
                    Upgrades++;
                    _isUpgradeWebSocket = HeaderNames.Is(value, "websocket"u8);
                    break;
                case 10 when HeaderNames.Is(name, HeaderNames.Connection):
                    NoteConnection(value);
                    break;
                case 17 when HeaderNames.Is(name, HeaderNames.Key):
                    _keys++;
                    Key = value;
                    break;
                case 21 when HeaderNames.Is(name, HeaderNames.Version):
                    _versions++;
                    _isOtherVersion |= !value.SequenceEqual("13"u8);
                    break;
            }
        }

        public readonly bool IsFlawless()
            => _lengths == 0 && !_isOtherVersion && Upgrades == 1 && _isUpgradeWebSocket
                && _keys == 1 && _versions == 1 && WebSocketKey.IsValid(Key) && IsSwitch();

        /// <summary>The part that all upgrades share.</summary>
        public readonly bool IsSwitch() => !_isRefused && !_hasContent && _lengths <= 1 && _hasConnectionUpgrade && _hosts == 1 && HostHeader.IsValid(Host);

        private void NoteConnection(ReadOnlySpan<byte> value)
        {
            var tokens = new TokenList(value);
            while (tokens.Read())
            {
                var token = tokens.Current;
                if (HeaderNames.Is(token, HeaderNames.Upgrade)) _hasConnectionUpgrade = true;
                else _isRefused |= !HeaderReader.IsToken(token) || HeaderNames.Is(token, "close"u8) || HeaderNames.IsEssential(token);
            }
        }
    }
}
