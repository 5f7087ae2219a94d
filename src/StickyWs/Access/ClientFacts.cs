using StickyWs.Transport;

namespace StickyWs.Access;

/// <summary>What lines and spans tell of a client.</summary>
/// <param name="ConnectionId">Its connection's id, as in the log.</param>
/// <param name="Tuple">Its connection's tuple, if it has one.</param>
/// <param name="Lane">One of <see cref="Observability.LaneNames"/>.</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="TlsVersion">Of the TLS that ends here; <see langword="null"/> without.</param>
/// <param name="IsInPipeline">Whether it came through the HTTP pipeline, which has made a span of its request.</param>
/// <param name="ProtocolVersion">Of its HTTP: <c>1.1</c>, <c>2</c>, <c>3</c>.</param>
internal readonly record struct ClientFacts(
    string ConnectionId, ConnectionTuple? Tuple, string Lane, string Scheme, string? TlsVersion, bool IsInPipeline, string ProtocolVersion = "1.1");
