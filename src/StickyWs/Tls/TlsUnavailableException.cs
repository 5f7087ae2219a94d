namespace StickyWs.Tls;

/// <summary>TLS of the raw lane cannot serve this; Kestrel's own may.</summary>
internal sealed class TlsUnavailableException(string message) : Exception(message);
