namespace StickyWs.Configuration;

/// <summary>A probe with a complete WebSocket handshake (RFC 6455 section 4), then a ping that must be answered by a pong (section 5.5.2).</summary>
public sealed class WebSocketProbeOptions : ProbeOptions
{
    /// <summary>The request target, including any query. Default <c>/</c>.</summary>
    public string Path { get; set; } = "/";

    /// <summary>The <c>Host</c> header. Default: the authority of the backend's address.</summary>
    public string? Host { get; set; }

    /// <summary>Additional request headers, such as <c>Origin</c>. Default: none.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The <c>Sec-WebSocket-Protocol</c> to request. Default: none.</summary>
    public string? Subprotocol { get; set; }
}
