using Microsoft.Extensions.Logging;
using StickyWs.Observability;

namespace StickyWs.Access;

/// <summary>What a line is about.</summary>
internal enum AccessEvent
{
    /// <summary>A tunnel has ended.</summary>
    Tunnel,

    /// <summary>A handshake has ended without a tunnel.</summary>
    Handshake,

    /// <summary>A plain request has ended.</summary>
    Request,
}

internal static class AccessEvents
{
    public static EventId Id(this AccessEvent one) => one switch
    {
        AccessEvent.Tunnel => new EventId(EventIds.TunnelLine, "TunnelLine"),
        AccessEvent.Handshake => new EventId(EventIds.HandshakeLine, "HandshakeLine"),
        _ => new EventId(EventIds.RequestLine, "RequestLine"),
    };
}
