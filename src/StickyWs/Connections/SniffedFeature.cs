using StickyWs.Detection;

namespace StickyWs.Connections;

/// <summary>The verdict on a connection, left for whoever comes behind: a second sniffer on the same listener has nothing to add.</summary>
internal sealed record SniffedFeature(Verdict Verdict);
