using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>What a backend answered to a handshake.</summary>
/// <param name="Outcome">
/// <see cref="HandshakeOutcome.Opened"/>, <c>Declined</c>, <c>BadAnswer</c>, <c>NoAnswer</c>, <c>TimedOut</c> or <c>ClientGone</c>.
/// </param>
/// <param name="Answer">Its head, when it is one.</param>
/// <param name="Behind">What came with the head: the tunnel's first bytes, or the body's.</param>
internal readonly record struct HandshakeResult(HandshakeOutcome Outcome, ResponseHead? Answer = null, ReadOnlyMemory<byte> Behind = default);
