using System.Diagnostics;

namespace StickyWs.Access;

/// <summary>What an open tunnel keeps of the trace that its handshake belongs to.</summary>
/// <param name="Handshake">The handshake's span.</param>
/// <param name="EndedAt">When the tunnel has ended.</param>
internal sealed record TracedTunnel(ActivityContext Handshake, DateTimeOffset EndedAt = default);
