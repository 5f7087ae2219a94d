namespace StickyWs.Connections;

/// <summary>Kestrel's own limits on a request head, which the sniffer stays within.</summary>
internal sealed record KestrelCaps(int MaxHeadersBytes, int MaxRequestLineBytes, int MaxHeaders);
