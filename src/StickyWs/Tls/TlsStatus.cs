namespace StickyWs.Tls;

/// <summary>Where a connection's TLS stands.</summary>
internal enum TlsStatus : byte
{
    Handshaking,

    /// <summary>Data flows in both directions.</summary>
    Open,

    /// <summary>The peer sent close_notify: nothing more comes, but data may still be sealed.</summary>
    PeerClosed,

    /// <summary>A fatal error. The step that led here may hold an alert to send before the connection is closed.</summary>
    Failed,
}
