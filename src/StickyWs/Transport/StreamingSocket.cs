using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Transport;

/// <summary>A socket that streams already, on its way from its handler to a channel. On the reactor's thread.</summary>
/// <param name="Reactor">Its reactor.</param>
/// <param name="Fd">The descriptor.</param>
/// <param name="Number">The reactor's number for it.</param>
/// <param name="Prefix">What was received and not used.</param>
/// <param name="HasFinished">Whether the peer's FIN came behind that.</param>
/// <param name="Tls">Its TLS end, from which the prefix came, if it has one; owned by the receiver from here on.</param>
/// <param name="Owed"><see cref="TlsStart.Owed"/></param>
internal readonly record struct StreamingSocket(
    Reactor Reactor, int Fd, int Number, ReadOnlyMemory<byte> Prefix, bool HasFinished, TlsEnd? Tls = null, ReadOnlyMemory<byte> Owed = default);
