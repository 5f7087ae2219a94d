namespace StickyWs.Connections;

/// <summary>What an endpoint has to do with TLS.</summary>
/// <param name="IsSpoken">Whether its connections use TLS: a plain handshake is not taken then, whoever ends TLS.</param>
/// <param name="Termination">How TLS is ended in the raw lane; <see langword="null"/> if Kestrel ends it.</param>
internal readonly record struct EndpointTls(bool IsSpoken, TlsTermination? Termination);
