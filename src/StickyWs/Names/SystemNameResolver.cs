using System.Net;

namespace StickyWs.Names;

/// <summary>The system's resolver (getaddrinfo(3)), which also orders the addresses (RFC 6724).</summary>
internal sealed class SystemNameResolver : INameResolver
{
    public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        => new(Dns.GetHostAddressesAsync(host, cancellationToken));
}
