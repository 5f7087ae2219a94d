namespace StickyWs.Tls;

/// <summary>A fatal alert to a peer whose handshake has not begun to be encrypted (RFC 8446 section 6).</summary>
internal static class PlainAlert
{
    private const byte Fatal = 2;

    /// <summary>The whole record. Its version is the one that every client takes (RFC 8446 section 5.1).</summary>
    public static byte[] Of(TlsAlert alert) => [(byte)RecordType.Alert, 3, 3, 0, 2, Fatal, (byte)alert];
}
