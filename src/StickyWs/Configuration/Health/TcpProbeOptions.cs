namespace StickyWs.Configuration;

/// <summary>A probe with a TCP connect, followed by the TLS handshake on <c>https</c> backends.</summary>
public sealed class TcpProbeOptions : ProbeOptions;
