using StickyWs.Tls;

namespace StickyWs.Detection;

/// <summary>The first message of a TLS client (RFC 8446 section 4.1.2), which nothing encrypts: as much of it as the choice of a pool needs.</summary>
/// <param name="Length">How many bytes it takes on the connection, with the headers of its records.</param>
/// <param name="ServerName">
/// The server that the client asks for (RFC 6066 section 3), in lower case and without a trailing dot; <see langword="null"/> if it names none, or nothing
/// that a host can be called, such as an IP address. Of a client that encrypts its true hello (ECH), the name of the outer one: the only one that there is
/// without the key.
/// </param>
/// <param name="Protocols">What it offers by ALPN (RFC 7301), for a log line.</param>
/// <param name="Fault">Why it is no ClientHello; the rest says nothing then.</param>
internal sealed record ClientHello(int Length, string? ServerName = null, string? Protocols = null, HelloFault? Fault = null);

/// <summary>A rule that a ClientHello breaks.</summary>
/// <param name="Cause">Which, for a log line.</param>
/// <param name="Alert">What its sender is told.</param>
internal readonly record struct HelloFault(string Cause, TlsAlert Alert);
