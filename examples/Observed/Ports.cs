namespace StickyWs.Examples.Observed;

/// <summary>Where the process listens, on the loopback.</summary>
internal sealed record Ports(int Http, int Https, int Metrics);
