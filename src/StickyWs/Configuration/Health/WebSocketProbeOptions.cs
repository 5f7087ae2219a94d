namespace StickyWs.Configuration;

/// <summary>A probe by a whole WebSocket handshake (RFC 6455 section 4), then a ping that must be answered by its pong (section 5.5.2).</summary>
public sealed class WebSocketProbeOptions : ProbeOptions
{
    /// <summary>The request target, with its query if any. Default <c>/</c>.</summary>
    public string Path { get; set; } = "/";

    /// <summary>The <c>Host</c> header. Default: the authority of the backend's address.</summary>
    public string? Host { get; set; }

    /// <summary>Further request headers, such as <c>Origin</c>. Default: none.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The <c>Sec-WebSocket-Protocol</c> to ask for. Default: none.</summary>
    public string? Subprotocol { get; set; }
}
