namespace StickyWs.Benchmarks.Peers;

/// <summary>At most so much: of somebody else's number, or of the figure itself.</summary>
internal sealed record Target(double Limit, string? Against = null);
