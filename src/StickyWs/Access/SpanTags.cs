namespace StickyWs.Access;

/// <summary>The attributes of spans: those of OpenTelemetry's semantic conventions for HTTP and network, and our own.</summary>
internal static class SpanTags
{
    public const string Method = "http.request.method";
    public const string Status = "http.response.status_code";
    public const string Resends = "http.request.resend_count";
    public const string ErrorType = "error.type";
    public const string Path = "url.path";
    public const string Scheme = "url.scheme";
    public const string Url = "url.full";
    public const string ServerAddress = "server.address";
    public const string ServerPort = "server.port";
    public const string ClientAddress = "client.address";
    public const string PeerAddress = "network.peer.address";
    public const string PeerPort = "network.peer.port";
    public const string ProtocolVersion = "network.protocol.version";
    public const string Pool = "stickyws.pool";
    public const string Backend = "stickyws.backend";
    public const string Lane = "stickyws.lane";
    public const string Outcome = "stickyws.handshake.outcome";
    public const string EndReason = "stickyws.end_reason";
    public const string Farewell = "stickyws.farewell";
    public const string BytesToBackend = "stickyws.bytes_to_backend";
    public const string BytesToClient = "stickyws.bytes_to_client";
}
