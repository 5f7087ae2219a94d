namespace StickyWs.Tls;

/// <summary>A TLS end whose handshake is done, on its way to whoever goes on with the connection.</summary>
/// <param name="End">The end; owned by the receiver from here on.</param>
/// <param name="Plain">What the peer has sent already, decrypted.</param>
/// <param name="Owed">Records that the peer has still to get, before all others: session tickets, which can go out with the first answer.</param>
internal readonly record struct TlsStart(TlsEnd End, ReadOnlyMemory<byte> Plain, ReadOnlyMemory<byte> Owed = default);
