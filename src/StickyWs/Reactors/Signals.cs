namespace StickyWs.Reactors;

/// <summary>What a watched socket is told.</summary>
[Flags]
internal enum Signals
{
    None = 0,

    /// <summary>There is something to receive, be it the end.</summary>
    Readable = 1,

    /// <summary>There is room to send, or a connect has come to an end.</summary>
    Writable = 2,

    /// <summary>The peer has sent its FIN, or the connection broke.</summary>
    PeerLeft = 4,
}
