namespace StickyWs.Configuration;

/// <summary>How a pool's backends are monitored: by at most one kind of probe, and by failures of real traffic.</summary>
public sealed class HealthOptions
{
    /// <summary>Probe with an HTTP request. Default: off.</summary>
    public HttpProbeOptions? Http { get; set; }

    /// <summary>Probe with a TCP connect (and the TLS handshake on <c>https</c> backends). Default: off.</summary>
    public TcpProbeOptions? Tcp { get; set; }

    /// <summary>
    /// Probe with a TCP connect and a TLS handshake, in a pool whose TLS is passed through. The certificate is verified as <c>Tls</c> says. Default: off.
    /// </summary>
    public TlsProbeOptions? Tls { get; set; }

    /// <summary>Probe with a WebSocket handshake whose accept key is verified, then with a ping that must be answered by a pong. Default: off.</summary>
    public WebSocketProbeOptions? WebSocket { get; set; }

    /// <summary>How failures of real traffic count.</summary>
    public PassiveHealthOptions Passive { get; } = new();

    /// <summary>The configured probe, if any.</summary>
    internal ProbeOptions? Probe => (ProbeOptions?)Http ?? (ProbeOptions?)Tcp ?? (ProbeOptions?)Tls ?? WebSocket;
}
