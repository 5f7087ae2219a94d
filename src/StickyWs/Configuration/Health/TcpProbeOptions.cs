namespace StickyWs.Configuration;

/// <summary>A probe by a TCP connect, with the TLS handshake on <c>https</c> backends.</summary>
public sealed class TcpProbeOptions : ProbeOptions;
