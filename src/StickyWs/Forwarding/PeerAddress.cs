using System.Net;
using System.Net.Sockets;

namespace StickyWs.Forwarding;

/// <summary>Formats a peer's address for <c>X-Forwarded-For</c>.</summary>
internal static class PeerAddress
{
    /// <summary>IPv4 stays IPv4 even on a dual-stack socket; the IPv6 zone is dropped, because it means nothing on another machine.</summary>
    public static string Text(IPAddress peer)
    {
        if (peer.IsIPv4MappedToIPv6) return peer.MapToIPv4().ToString();
        return peer is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(peer.GetAddressBytes()).ToString() : peer.ToString();
    }
}
