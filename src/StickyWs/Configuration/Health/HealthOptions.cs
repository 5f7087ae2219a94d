namespace StickyWs.Configuration;

/// <summary>How a pool's backends are watched: at most one kind of probe, beside the failures that the data path sees.</summary>
public sealed class HealthOptions
{
    /// <summary>Probe with an HTTP request. Default: off.</summary>
    public HttpProbeOptions? Http { get; set; }

    /// <summary>Probe with a TCP connect (and the TLS handshake on <c>https</c> backends). Default: off.</summary>
    public TcpProbeOptions? Tcp { get; set; }

    /// <summary>Probe with a WebSocket handshake whose accept key is checked, then a ping that must be answered by its pong. Default: off.</summary>
    public WebSocketProbeOptions? WebSocket { get; set; }

    /// <summary>Failures seen on the data path.</summary>
    public PassiveHealthOptions Passive { get; } = new();

    /// <summary>The probe that is configured, if any.</summary>
    internal ProbeOptions? Probe => (ProbeOptions?)Http ?? (ProbeOptions?)Tcp ?? WebSocket;
}
