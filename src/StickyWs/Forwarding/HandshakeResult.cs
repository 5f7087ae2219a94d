using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>A backend's response to a handshake.</summary>
/// <param name="Outcome">
/// <see cref="HandshakeOutcome.Opened"/>, <c>Declined</c>, <c>BadAnswer</c>, <c>NoAnswer</c>, <c>TimedOut</c> or <c>ClientGone</c>.
/// </param>
/// <param name="Answer">Its head, if there is one.</param>
/// <param name="Behind">The bytes received after the head: the tunnel's first bytes, or the body's.</param>
internal readonly record struct HandshakeResult(HandshakeOutcome Outcome, ResponseHead? Answer = null, ReadOnlyMemory<byte> Behind = default);
