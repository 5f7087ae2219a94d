namespace StickyWs.Configuration;

/// <summary>
/// A probe with a TCP connect and a TLS handshake, for a pool whose TLS is passed through. It asks for <see cref="TlsOptions.ServerName"/>, or else for the
/// pool's first exact server name.
/// </summary>
public sealed class TlsProbeOptions : ProbeOptions;
