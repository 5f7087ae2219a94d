namespace StickyWs.Dashboard.Events;

/// <summary>What events are about: there may be many of some kinds, and not all want to hear of those.</summary>
[Flags]
internal enum EventKind
{
    /// <summary>Of pools and backends. Everybody hears of these.</summary>
    State = 0,

    /// <summary>A tunnel.</summary>
    Tunnel = 1,

    /// <summary>A handshake or request that was refused.</summary>
    Refusal = 2,
}
