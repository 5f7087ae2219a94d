namespace StickyWs.Reactors;

/// <summary>The readiness of a watched socket.</summary>
[Flags]
internal enum Signals
{
    None = 0,

    /// <summary>There is something to receive, which may be the end of the stream.</summary>
    Readable = 1,

    /// <summary>There is room to send, or a connect has completed.</summary>
    Writable = 2,

    /// <summary>The peer has sent its FIN, or the connection broke.</summary>
    PeerLeft = 4,
}
