namespace StickyWs.Backends;

/// <summary>How much work at a time a backend takes; <see langword="null"/> for any.</summary>
/// <param name="MaxHandshakes">Handshakes in progress.</param>
/// <param name="MaxRequests">Plain requests in progress.</param>
/// <param name="HandshakeRate">New handshakes per second.</param>
internal sealed record WorkLimits(int? MaxHandshakes = null, int? MaxRequests = null, double? HandshakeRate = null)
{
    public static WorkLimits None { get; } = new();
}
