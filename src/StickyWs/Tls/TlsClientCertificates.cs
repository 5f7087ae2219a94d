using System.Security.Cryptography.X509Certificates;

namespace StickyWs.Tls;

/// <summary>That clients are asked for a certificate, and who judges it.</summary>
/// <param name="AreRequired">Whether a client without one is refused.</param>
/// <param name="Judge">
/// Judges a client's certificate by itself and what the client has sent with it. Called during <see cref="TlsEnd.Receive"/>, on its thread; it may ask the
/// network. An exception fails the handshake.
/// </param>
internal sealed record TlsClientCertificates(bool AreRequired, Func<X509Certificate2, X509Certificate2Collection, ClientCertificateVerdict> Judge);
